/* Runs a model in C: raw bytes in (numpy's x.tofile("x.bin")), raw bytes out.
 *
 *   run_model_c MODEL INPUT.bin... OUTPUT.bin...        files in the order that it prints */
#include <coppice_runtime.h>
#include <stdio.h>
#include <stdlib.h>

static void print_tensor(const char* what, const coppice_tensor_info* info) {
  printf("%s '%s':", what, info->name);
  for (size_t axis = 0; axis < info->rank; ++axis) printf(" %lld", (long long)info->sizes[axis]);
  printf(", %zu bytes\n", info->bytes);
}

/* Just `bytes` bytes. */
static int read_bytes(const char* path, void* to, size_t bytes) {
  FILE* file = fopen(path, "rb");
  if (!file) return 0;
  const int whole = fread(to, 1, bytes, file) == bytes && fgetc(file) == EOF;
  fclose(file);
  return whole;
}

static int write_bytes(const char* path, const void* from, size_t bytes) {
  FILE* file = fopen(path, "wb");
  if (!file) return 0;
  const int whole = fwrite(from, 1, bytes, file) == bytes;
  return fclose(file) == 0 && whole;
}

/* With memory for each tensor; false, with a line, where something is amiss. */
static int run(coppice_model* model, coppice_input* inputs, coppice_output* outputs, char** files) {
  const size_t reads = coppice_input_count(model), writes = coppice_output_count(model);
  coppice_tensor_info info;
  for (size_t i = 0; i < reads; ++i) {
    if (coppice_input_info(model, i, &info) != COPPICE_OK) return 0;
    print_tensor("input", &info);
    void* data = malloc(info.bytes);
    inputs[i].data = data;
    inputs[i].bytes = info.bytes;
    if (data && read_bytes(files[i], data, info.bytes)) continue;
    fprintf(stderr, "'%s': expected a file of %zu bytes\n", files[i], info.bytes);
    return 0;
  }
  for (size_t i = 0; i < writes; ++i) {
    if (coppice_output_info(model, i, &info) != COPPICE_OK) return 0;
    print_tensor("output", &info);
    outputs[i].data = malloc(info.bytes);
    outputs[i].bytes = info.bytes;
  }
  if (coppice_run(model, inputs, reads, outputs, writes) != COPPICE_OK) {
    fprintf(stderr, "%s\n", coppice_error_text());
    return 0;
  }
  for (size_t i = 0; i < writes; ++i) {
    if (write_bytes(files[reads + i], outputs[i].data, outputs[i].bytes)) continue;
    fprintf(stderr, "can't write '%s'\n", files[reads + i]);
    return 0;
  }
  return 1;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: run_model_c MODEL INPUT.bin... OUTPUT.bin...\n");
    return 2;
  }
  if (coppice_runtime_abi() != COPPICE_RUNTIME_ABI) {
    fprintf(stderr, "built for another libcoppice_runtime\n");
    return 2;
  }
  coppice_options options = COPPICE_OPTIONS_INIT;
  options.threads = 1;
  coppice_model* model = NULL;
  if (coppice_open(argv[1], &options, &model) != COPPICE_OK) {
    fprintf(stderr, "%s\n", coppice_error_text());
    return 3;
  }
  const size_t reads = coppice_input_count(model), writes = coppice_output_count(model);
  int done = 0;
  if ((size_t)argc != 2 + reads + writes) {
    fprintf(stderr, "expected %zu input and %zu output files\n", reads, writes);
  } else {
    coppice_input* inputs = calloc(reads + 1, sizeof *inputs);
    coppice_output* outputs = calloc(writes + 1, sizeof *outputs);
    done = inputs && outputs && run(model, inputs, outputs, argv + 2);
    for (size_t i = 0; inputs && i < reads; ++i) free((void*)inputs[i].data);
    for (size_t i = 0; outputs && i < writes; ++i) free(outputs[i].data);
    free(inputs);
    free(outputs);
  }
  coppice_close(model);
  return done ? 0 : 3;
}
