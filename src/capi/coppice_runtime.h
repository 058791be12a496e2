/* Coppice's runtime for C and everything that calls C: opens a model (.onnx, or .coppice as
 * `coppice compress` writes it), compiles it for this processor, and runs it.
 *
 *   coppice_model* model = NULL;
 *   if (coppice_open("small.coppice", NULL, &model) != COPPICE_OK) die(coppice_error_text());
 *   coppice_input inputs[] = {{pixels, sizeof pixels}};
 *   coppice_output outputs[] = {{scores, sizeof scores}};
 *   if (coppice_run(model, inputs, 1, outputs, 1) != COPPICE_OK) die(coppice_error_text());
 *   coppice_close(model);
 *
 * Threads. Every function may be called by any thread at any time, but for coppice_close, which
 * must be the last use of its model. Several threads may run one model at once: none waits for
 * another, weights are shared, and each run that goes on at the same time has memory of its own for
 * intermediate results, which is kept for later runs. The first run of so many at once allocates
 * it; no other does, unless an operator has but a reference kernel. A run uses
 * coppice_options.threads threads, besides the one that calls.
 *
 * Errors. A function that fails says so by what it returns, changes nothing that it was given
 * (contents of outputs may be anything), and leaves a text for coppice_error_text. No exception
 * leaves the library. A model that fails to run once may be run again.
 *
 * Versions. Within one COPPICE_RUNTIME_ABI functions are added and none changes; structures that
 * may grow say their size first. */
#ifndef COPPICE_RUNTIME_H
#define COPPICE_RUNTIME_H

/* NOLINTBEGIN(modernize-*): this is C. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COPPICE_RUNTIME_ABI 1

/* Of the library that is loaded: compare it with COPPICE_RUNTIME_ABI. */
int coppice_runtime_abi(void);
/* "0.1.0"; never freed. */
const char* coppice_runtime_version(void);

/* Numbered as the exit codes of the command are. */
typedef enum coppice_status {
  COPPICE_OK = 0,
  COPPICE_ERROR_INTERNAL = 1,   /* a bug in Coppice */
  COPPICE_ERROR_USAGE = 2,      /* an argument or option is wrong */
  COPPICE_ERROR_INPUT = 3,      /* the file is missing or damaged; too little memory */
  COPPICE_ERROR_UNSUPPORTED = 4 /* the file is sound, but holds what the runtime can't run */
} coppice_status;

/* What went wrong in this thread's last call that failed: one line that says where, what was found
 * and what was expected. Valid until this thread's next call that fails; empty before the first. */
const char* coppice_error_text(void);

/* Numbered as ONNX numbers types of elements. Models in half precision are computed in float32,
 * and that is what their inputs and outputs are here. */
typedef enum coppice_type {
  COPPICE_FLOAT32 = 1,
  COPPICE_UINT8 = 2,
  COPPICE_INT8 = 3,
  COPPICE_UINT16 = 4,
  COPPICE_INT16 = 5,
  COPPICE_INT32 = 6,
  COPPICE_INT64 = 7,
  COPPICE_BOOL = 9, /* a byte, 0 or 1 */
  COPPICE_FLOAT64 = 11,
  COPPICE_UINT32 = 12,
  COPPICE_UINT64 = 13
} coppice_type;

typedef struct coppice_model coppice_model;

/* Begin with COPPICE_OPTIONS_INIT and set what should be otherwise. */
typedef struct coppice_options {
  size_t size;   /* of this structure, as the caller knows it */
  int threads;   /* of one run; 0: one for each core */
  int64_t batch; /* of inputs whose first axis the file leaves open; 0: 1 */
  /* "NAME=1x3x224x224", for inputs that leave more open than that. */
  const char* const* input_shapes;
  size_t input_shape_count;
  /* Which layers leave zeros out is measured when a model is opened for the first time, and kept in
   * this folder. NULL: in the user's cache folder; "": nowhere. */
  const char* cache_folder;
} coppice_options;

#define COPPICE_OPTIONS_INIT \
  { sizeof(coppice_options), 0, 0, NULL, 0, NULL }

/* Reads, checks and compiles a model. `options` may be NULL. `*model` is set only where it returns
 * COPPICE_OK, and is the caller's to close. Sizes are bound here: for another batch, open again. */
coppice_status coppice_open(const char* path, const coppice_options* options,
                            coppice_model** model);
/* NULL does nothing. */
void coppice_close(coppice_model* model);

size_t coppice_input_count(const coppice_model* model);
size_t coppice_output_count(const coppice_model* model);

/* What an input or output is like. Names and sizes live as long as the model. */
typedef struct coppice_tensor_info {
  const char* name;
  coppice_type type;
  size_t rank;
  const int64_t* sizes; /* [rank]; elements lie in row-major order */
  size_t bytes;
} coppice_tensor_info;

coppice_status coppice_input_info(const coppice_model* model, size_t index,
                                  coppice_tensor_info* info);
coppice_status coppice_output_info(const coppice_model* model, size_t index,
                                   coppice_tensor_info* info);

typedef struct coppice_input {
  const void* data;
  size_t bytes;
} coppice_input;

typedef struct coppice_output {
  void* data;
  size_t bytes;
} coppice_output;

/* Runs the model once. Inputs and outputs in the model's order and all of them, each as many bytes
 * as its info says; outputs overlap neither inputs nor each other. */
coppice_status coppice_run(coppice_model* model, const coppice_input* inputs, size_t input_count,
                           const coppice_output* outputs, size_t output_count);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-*) */

#endif
