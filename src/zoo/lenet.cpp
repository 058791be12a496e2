// LeNet-300-100 and LeNet-5, the two MNIST networks of the pruning papers.
//
// Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document
// Recognition", Proceedings of the IEEE 1998, in the form of Caffe's examples that Han et al.,
// "Learning both Weights and Connections for Efficient Neural Networks", NIPS 2015,
// arXiv:1506.02626, and its followers prune: LeNet-5 is 20-50-500-10, not LeCun's 6-16-120-84-10.
// Differs: from LeCun in ReLU for tanh, and in Caffe's xavier for his +-2.4/fan-in, which was meant
// for scaled tanh units; from Caffe in nothing known (there too, no ReLU follows a convolution).

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {

Graph lenet300_100(uint64_t seed) {
  Builder net("lenet300-100", seed, {.conv = caffe_xavier, .linear = caffe_xavier});
  ValueId x = net.flatten("flatten", net.input({1, 28, 28}));
  x = net.relu("relu1", net.linear("fc1", x, 300));
  x = net.relu("relu2", net.linear("fc2", x, 100));
  return net.finish(net.linear("fc3", x, 10));
}

Graph lenet5(uint64_t seed) {
  Builder net("lenet5", seed, {.conv = caffe_xavier, .linear = caffe_xavier});
  const ConvOptions options{.kernel = 5, .bias = Bias::zero};
  ValueId x = net.input({1, 28, 28});
  x = net.max_pool("pool1", net.conv("conv1", x, 20, options), 2);
  x = net.max_pool("pool2", net.conv("conv2", x, 50, options), 2);
  x = net.flatten("flatten", x);
  x = net.relu("relu1", net.linear("fc1", x, 500));
  return net.finish(net.linear("fc2", x, 10));
}

}  // namespace coppice
