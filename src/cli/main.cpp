// The program; all of it is in cli/app.h.
#include "cli/app.h"

int main(int argc, char** argv) { return coppice::run_program({argv + 1, argv + argc}); }
