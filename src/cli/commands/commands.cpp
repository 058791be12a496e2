// The table of commands, in the order in which a new user meets them.
#include "cli/commands/commands.h"

namespace coppice {
namespace {

constexpr Command kCommands[] = {
    {"inspect", "MODEL", "layers, costs, what can be pruned and what not, and why", define_inspect,
     "  coppice inspect model.onnx\n"
     "  coppice inspect zoo:resnet20\n"
     "  coppice inspect model.onnx --norms\n"
     "  coppice inspect model.onnx --json | jq '.groups[] | {name, units}'\n"},
    {"prune", "MODEL -o OUT", "remove the least important channels", define_prune,
     "  coppice prune model.onnx -o small.onnx\n"
     "  coppice prune model.onnx -o small.onnx --keep-params 0.3 --method fpgm\n"
     "  coppice prune model.onnx -o small.onnx --prune-ratio 0.4 --round-to 1 --keep 'head.*'\n"
     "  coppice prune model.onnx -o small.onnx --data cifar10:DIR --preprocess cifar10\n"
     "  coppice prune model.onnx -o small.onnx --data cifar10:DIR --epochs 10\n"
     "  coppice prune zoo:vgg19-bn -o small.onnx --method slimming --prune-ratio 0.7 \\\n"
     "    --data cifar10:DIR --epochs 40\n",
     true},
    {"search", "MODEL -o OUT --data SPEC", "search how many channels each layer keeps",
     define_search,
     "  coppice search model.onnx -o small.onnx --keep-macs 0.5 --data cifar10:DIR\n"
     "  coppice search model.onnx -o small.onnx --method random --candidates 60 \\\n"
     "    --data cifar10:DIR --epochs 3\n"
     "  coppice search model.onnx -o small.onnx --method amc --episodes 150 --data cifar10:DIR\n"
     "  coppice search model.onnx -o small.onnx --method metapruning --net-epochs 10 \\\n"
     "    --data cifar10:DIR --epochs 5 --control scratch-e\n",
     true},
    {"compare", "MODEL -o FOLDER", "prune by several methods, the same way, and compare",
     define_compare,
     "  coppice compare model.onnx --data cifar10:DIR --epochs 2 -o compared\n"
     "  coppice compare model.onnx --methods l2,fpgm,slimming --keep-macs 0.4 --repeat 3 \\\n"
     "    --data cifar10:DIR --epochs 5 -o compared\n"
     "  coppice compare model.onnx --methods sfp,asfp --controls none --prune-ratio 0.3 \\\n"
     "    --data cifar10:DIR --epochs 10 -o compared --json\n",
     true},
    {"sensitivity", "MODEL --data SPEC", "what losing channels costs, group by group",
     define_sensitivity,
     "  coppice sensitivity model.onnx --data cifar10:DIR -o model.sensitivity.json\n"
     "  coppice sensitivity model.onnx --data cifar10:DIR --method fpgm --ratios 0.25,0.5,0.75\n"
     "  coppice prune model.onnx -o small.onnx --keep-macs 0.5 \\\n"
     "    --allocate sensitivity --sensitivity model.sensitivity.json\n"
     "  coppice sensitivity model.onnx --data cifar10:DIR --oracle --images 1000\n",
     true},
    {"train", "MODEL --data SPEC -o OUT", "train a model, or go on training it", define_train,
     "  coppice train zoo:lenet5 --data digits -o lenet5.onnx --epochs 3\n"
     "  coppice train model.onnx --data cifar10:DIR --preprocess imagenet -o tuned.onnx --lr 0.01\n"
     "  coppice train model.onnx --data cifar10:DIR -o tuned.onnx --resume\n",
     true},
    {"apply", "PLAN MODEL -o OUT", "replay a pruning plan", define_apply,
     "  coppice apply small.plan.json model.onnx -o again.onnx\n"
     "  coppice apply small.plan.json model.onnx -o again.onnx --verify off\n",
     true},
    {"simplify", "MODEL -o OUT", "the same model with fewer nodes", define_simplify,
     "  coppice simplify model.onnx -o simple.onnx\n"
     "  coppice simplify model.onnx -o simple.onnx --fold-bn --opset lowest\n",
     true},
    {"compress", "MODEL -o OUT.coppice", "pack a model into a small container", define_compress,
     "  coppice compress sparse.onnx -o sparse.coppice\n"
     "  coppice compress sparse.onnx -o sparse.coppice --bits conv=8,fc=5 --data mnist:DIR\n"
     "  coppice compress model.onnx -o model.coppice --bits 6 --coder huffman\n",
     true},
    {"decompress", "FILE.coppice -o OUT.onnx", "the packed model's bytes again", define_decompress,
     "  coppice decompress sparse.coppice -o sparse.onnx\n"},
    {"eval", "MODEL --data SPEC", "accuracy and loss on a data set", define_eval,
     "  coppice eval model.onnx --data cifar10:DIR --preprocess cifar10\n"
     "  coppice eval model.onnx --data images:DIR --limit 1000 \\\n"
     "    --preprocess imagenet,resize=256,crop=224\n"
     "  coppice eval model.onnx --data mnist:DIR --preprocess scale=1/255 --json\n",
     true},
    {"verify", "A B", "do two models compute the same?", define_verify,
     "  coppice verify a.onnx b.onnx\n"
     "  coppice verify model.onnx small.onnx --plan small.plan.json    was it cut by this plan?\n",
     true},
    {"bench", "MODEL...", "how fast models run here", define_bench,
     "  coppice bench model.onnx\n"
     "  coppice bench model.onnx small.onnx --engine onnxruntime\n"
     "  coppice bench model.onnx --threads 1 --batch 8\n"
     "  coppice bench model.onnx --layers\n",
     true},
    {"run", "MODEL --input X.npy", "run a model on arrays, in Coppice's own runtime", define_run,
     "  coppice run model.onnx --input x.npy -o y.npy\n"
     "  coppice run small.coppice --input x.npy -o y.npy --threads 1\n"
     "  coppice run bert.onnx --input ids=ids.npy --input mask=mask.npy -o logits=y.npy\n"
     "  coppice run bert.onnx --input inputs.npz -o outputs.npz --json\n",
     true},
    {"zoo", "[NAME -o OUT]", "list the built-in networks, or write one, untrained", define_zoo,
     "  coppice zoo\n"
     "  coppice zoo resnet20 -o resnet20.onnx\n"
     "  coppice zoo vgg16-bn -o vgg.onnx --seed 7\n"},
    {"methods", "", "list the pruning methods", define_methods,
     "  coppice methods\n"
     "  coppice methods --json\n"},
    {"criteria", "", "list the criteria that methods rank channels by", define_criteria,
     "  coppice criteria\n"
     "  coppice criteria --json\n"},
    {"data", "", "list the forms of data sets", define_data,
     "  coppice data\n"
     "  coppice data --json\n"},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace coppice
