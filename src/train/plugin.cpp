int coppice_placeholder;
