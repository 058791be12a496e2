// The table of the zoo, in the order that 'coppice zoo' lists it: what each network is called,
// where it is from and what it is for. Sizes in `about` are rounded; the exact ones stand in
// zoo_test.cpp beside their sources.

#include "zoo/zoo.h"

#include "core/error.h"
#include "core/words/nearest.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

constexpr ZooModel kModels[] = {
    {"lenet300-100", "LeCun et al., Proc. IEEE 1998; as in Han et al., NIPS 2015",
     "MNIST, 28x28 grey, 10 classes, 0.27 M parameters, fully connected", lenet300_100},
    {"lenet5", "LeCun et al., Proc. IEEE 1998; Caffe's version",
     "MNIST, 28x28 grey, 10 classes, 0.43 M parameters", lenet5},
    {"mlp500-300-bn", "Liu et al., Network Slimming, ICCV 2017",
     "MNIST, 28x28 grey, 10 classes, 0.55 M parameters, fully connected", mlp500_300_bn},
    {"vgg11-bn-half", "Simonyan and Zisserman, ICLR 2015; at half width",
     "Fashion-MNIST, 28x28 grey, 10 classes, 2.3 M parameters", vgg11_bn_half},
    {"conv2", "Frankle and Carbin, The Lottery Ticket Hypothesis, ICLR 2019",
     "CIFAR-10, 32x32 RGB, 10 classes, 4.3 M parameters, no normalisation", conv2},
    {"conv4", "Frankle and Carbin, The Lottery Ticket Hypothesis, ICLR 2019",
     "CIFAR-10, 32x32 RGB, 10 classes, 2.4 M parameters, no normalisation", conv4},
    {"conv6", "Frankle and Carbin, The Lottery Ticket Hypothesis, ICLR 2019",
     "CIFAR-10, 32x32 RGB, 10 classes, 2.3 M parameters, no normalisation", conv6},
    {"plain20", "He et al., CVPR 2016; ResNet-20 without shortcuts",
     "CIFAR-10, 32x32 RGB, 10 classes, 0.27 M parameters", plain20},
    {"resnet20", "He et al., CVPR 2016", "CIFAR-10, 32x32 RGB, 10 classes, 0.27 M parameters",
     resnet20},
    {"resnet56", "He et al., CVPR 2016", "CIFAR-10, 32x32 RGB, 10 classes, 0.85 M parameters",
     resnet56},
    {"resnet110", "He et al., CVPR 2016", "CIFAR-10, 32x32 RGB, 10 classes, 1.7 M parameters",
     resnet110},
    {"preresnet20", "He et al., Identity Mappings, ECCV 2016",
     "CIFAR-10, 32x32 RGB, 10 classes, 0.27 M parameters", preresnet20},
    {"densenet40", "Huang et al., CVPR 2017", "CIFAR-10, 32x32 RGB, 10 classes, 1.0 M parameters",
     densenet40},
    {"vgg16-bn", "Simonyan and Zisserman, ICLR 2015; as in Li et al., ICLR 2017",
     "CIFAR-10, 32x32 RGB, 10 classes, 15.0 M parameters", vgg16_bn},
    {"vgg19-bn", "Simonyan and Zisserman, ICLR 2015; as in Liu et al., ICCV 2017",
     "CIFAR-10, 32x32 RGB, 10 classes, 20.0 M parameters", vgg19_bn},
    {"mobilenetv2", "Sandler et al., CVPR 2018",
     "ImageNet, 224x224 RGB, 1000 classes, 3.5 M parameters", mobilenetv2},
};

}  // namespace

std::span<const ZooModel> zoo_models() { return kModels; }

Graph build_zoo_model(const std::string& name, uint64_t seed) {
  std::vector<std::string> names;
  std::string all;
  for (const ZooModel& model : kModels) {
    if (model.name == name) return model.build(seed);
    all += std::string(names.empty() ? "'" : ", '") + model.name + "'";
    names.emplace_back(model.name);
  }
  fail_usage("no zoo model '" + name + "'; expected one of " + all + did_you_mean(name, names));
}

}  // namespace coppice
