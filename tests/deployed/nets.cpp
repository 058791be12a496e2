#include "deployed/nets.h"

#include <cmath>
#include <sstream>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Writes a text graph layer by layer; each call gives the name of its output.
class Lines {
 public:
  explicit Lines(const std::string& input) { text_ << "input x float32 [N, " << input << "]\n"; }

  std::string node(const std::string& call, const std::string& attributes = "") {
    const std::string name = "v" + std::to_string(count_++);
    text_ << name << " = " << call << (attributes.empty() ? "" : " {" + attributes + "}") << "\n";
    return name;
  }
  std::pair<std::string, std::string> halves(const std::string& x, int64_t width) {
    const std::string name = "v" + std::to_string(count_++), half = std::to_string(width / 2);
    const std::string sizes = constant("int64 [2] = " + half + " " + half);
    text_ << name << "a, " << name << "b = Split(" << x << ", " << sizes << ") {axis=1}\n";
    return {name + "a", name + "b"};
  }
  std::string constant(const std::string& what) {
    const std::string name = "k" + std::to_string(count_++);
    text_ << "const " << name << " " << what << "\n";
    return name;
  }
  std::string floats(const std::string& shape, const std::string& how = "random") {
    return constant("float32 [" + shape + "] " + how);
  }

  std::string conv(const std::string& x, int64_t in, int64_t out, int64_t kernel,
                   int64_t stride = 1, int64_t groups = 1) {
    std::ostringstream shape, attributes;
    shape << out << ", " << in / groups << ", " << kernel << ", " << kernel;
    attributes << "kernel_shape=[" << kernel << ", " << kernel << "], strides=[" << stride << ", "
               << stride << "], group=" << groups;
    const int64_t pad = kernel / 2;
    attributes << ", pads=[" << pad << ", " << pad << ", " << pad << ", " << pad << "]";
    return node("Conv(" + x + ", " + floats(shape.str()) + ")", attributes.str());
  }
  std::string norm(const std::string& x, int64_t width) {
    const std::string n = std::to_string(width);
    return node("BatchNormalization(" + x + ", " + floats(n, "positive") + ", " + floats(n) + ", " +
                floats(n) + ", " + floats(n, "positive") + ")");
  }
  std::string relu(const std::string& x) { return node("Relu(" + x + ")"); }
  std::string silu(const std::string& x) {
    return node("Mul(" + x + ", " + node("Sigmoid(" + x + ")") + ")");
  }
  std::string concat(const std::string& parts, int64_t axis = 1) {
    return node("Concat(" + parts + ")", "axis=" + std::to_string(axis));
  }
  std::string reshape(const std::string& x, const std::string& sizes, size_t rank) {
    return node("Reshape(" + x + ", " +
                constant("int64 [" + std::to_string(rank) + "] = " + sizes) + ")");
  }
  std::string transpose(const std::string& x, const std::string& order) {
    return node("Transpose(" + x + ")", "perm=[" + order + "]");
  }
  std::string max_pool(const std::string& x, int64_t kernel, int64_t stride) {
    const std::string k = std::to_string(kernel), s = std::to_string(stride),
                      p = std::to_string(kernel > stride ? kernel / 2 : 0);
    return node("MaxPool(" + x + ")", "kernel_shape=[" + k + ", " + k + "], strides=[" + s + ", " +
                                          s + "], pads=[" + p + ", " + p + ", " + p + ", " + p +
                                          "]");
  }
  // x w + b over the last axis of tokens.
  std::string linear(const std::string& x, int64_t in, int64_t out) {
    const std::string n = std::to_string(out);
    const std::string y = node("MatMul(" + x + ", " + floats(std::to_string(in) + ", " + n) + ")");
    return node("Add(" + y + ", " + floats(n) + ")");
  }
  std::string classified(const std::string& x, int64_t width) {
    const std::string flat = node("Flatten(" + node("GlobalAveragePool(" + x + ")") + ")");
    return node(
        "Gemm(" + flat + ", " + floats("10, " + std::to_string(width)) + ", " + floats("10") + ")",
        "transB=1");
  }

  // With weights scaled so that layers give numbers of the size that they read.
  Graph graph(const std::string& output) {
    Graph graph = parse_text_graph(text_.str() + "output " + output);
    for (Value& value : graph.values) {
      if (!value.constant || value.constant->rank() < 2) continue;
      const Shape shape = value.constant->shape();
      const bool transposed = shape.size() == 2 && shape[0] != 10;
      const int64_t outputs = transposed ? shape[1] : shape[0];
      const double scale = std::sqrt(3.0 * double(outputs) / double(value.constant->size()));
      for (float& weight : value.constant->mutate<float>()) weight *= float(scale);
    }
    return graph;
  }

 private:
  std::ostringstream text_;
  int64_t count_ = 0;
};

std::string unit(Lines& net, const std::string& x, int64_t in, int64_t out, int64_t kernel,
                 int64_t stride = 1) {
  return net.relu(net.norm(net.conv(x, in, out, kernel, stride), out));
}

std::string depthwise(Lines& net, const std::string& x, int64_t width, int64_t stride) {
  return net.norm(net.conv(x, width, width, 3, stride, width), width);
}

std::string shuffled(Lines& net, const std::string& x, int64_t width, int64_t size) {
  const std::string half = std::to_string(width / 2), s = std::to_string(size);
  const std::string apart = net.reshape(x, "-1 2 " + half + " " + s + " " + s, 5);
  return net.reshape(net.transpose(apart, "0, 2, 1, 3, 4"),
                     "-1 " + std::to_string(width) + " " + s + " " + s, 4);
}

std::string shuffle_branch(Lines& net, const std::string& x, int64_t in, int64_t out,
                           int64_t stride) {
  return unit(net, depthwise(net, unit(net, x, in, out, 1), out, stride), out, out, 1);
}

std::string silu_unit(Lines& net, const std::string& x, int64_t in, int64_t out, int64_t kernel,
                      int64_t stride = 1) {
  return net.silu(net.norm(net.conv(x, in, out, kernel, stride), out));
}

// YOLOv8's block of one bottleneck.
std::string c2f(Lines& net, const std::string& x, int64_t in, int64_t out) {
  const int64_t half = out / 2;
  const auto [a, b] = net.halves(silu_unit(net, x, in, out, 1), out);
  const std::string c = net.node(
      "Add(" + b + ", " + silu_unit(net, silu_unit(net, b, half, half, 3), half, half, 3) + ")");
  return silu_unit(net, net.concat(a + ", " + b + ", " + c), 3 * half, out, 1);
}

std::string layer_norm(Lines& net, const std::string& x, int64_t width) {
  const std::string n = std::to_string(width);
  const auto mean = [&](const std::string& of) {
    return net.node("ReduceMean(" + of + ")", "axes=[-1], keepdims=1");
  };
  const std::string centred = net.node("Sub(" + x + ", " + mean(x) + ")");
  const std::string square =
      net.node("Pow(" + centred + ", " + net.constant("float32 [] = 2") + ")");
  const std::string variance =
      net.node("Add(" + mean(square) + ", " + net.constant("float32 [] = 0.00001") + ")");
  const std::string normal =
      net.node("Div(" + centred + ", " + net.node("Sqrt(" + variance + ")") + ")");
  const std::string scaled = net.node("Mul(" + normal + ", " + net.floats(n, "positive") + ")");
  return net.node("Add(" + scaled + ", " + net.floats(n) + ")");
}

std::string attention(Lines& net, const std::string& x, int64_t tokens, int64_t width) {
  constexpr int64_t kHeads = 4;
  const std::string sizes = "-1 " + std::to_string(tokens) + " " + std::to_string(kHeads) + " " +
                            std::to_string(width / kHeads);
  const auto heads = [&](const std::string& order) {
    return net.transpose(net.reshape(net.linear(x, width, width), sizes, 4), order);
  };
  const std::string q = heads("0, 2, 1, 3"), k = heads("0, 2, 3, 1"), v = heads("0, 2, 1, 3");
  const std::string scores = net.node(
      "Mul(" + net.node("MatMul(" + q + ", " + k + ")") + ", " +
      net.constant("float32 [] = " + std::to_string(1 / std::sqrt(double(width) / kHeads))) + ")");
  const std::string mixed =
      net.node("MatMul(" + net.node("Softmax(" + scores + ")", "axis=-1") + ", " + v + ")");
  const std::string together =
      net.reshape(net.transpose(mixed, "0, 2, 1, 3"),
                  "-1 " + std::to_string(tokens) + " " + std::to_string(width), 3);
  return net.linear(together, width, width);
}

std::string gelu(Lines& net, const std::string& x) {
  const std::string over =
      net.node("Div(" + x + ", " + net.constant("float32 [] = 1.4142135") + ")");
  const std::string one = net.node("Add(" + net.node("Erf(" + over + ")") + ", " +
                                   net.constant("float32 [] = 1.0") + ")");
  return net.node("Mul(" + net.node("Mul(" + x + ", " + one + ")") + ", " +
                  net.constant("float32 [] = 0.5") + ")");
}

}  // namespace

Graph shufflenet_shaped() {
  Lines net("3, 32, 32");
  std::string x = unit(net, "x", 3, 48, 3, 2);
  int64_t width = 48;
  for (const int64_t size : {8, 4}) {
    const std::string left = unit(net, depthwise(net, x, width, 2), width, width, 1);
    const std::string right = shuffle_branch(net, x, width, width, 2);
    width *= 2;
    x = shuffled(net, net.concat(left + ", " + right), width, size);
    for (int i = 0; i < 2; ++i) {
      const auto [stays, worked] = net.halves(x, width);
      const std::string branch = shuffle_branch(net, worked, width / 2, width / 2, 1);
      x = shuffled(net, net.concat(stays + ", " + branch), width, size);
    }
  }
  return net.graph(net.classified(unit(net, x, width, 128, 1), 128));
}

Graph unet_shaped() {
  Lines net("3, 32, 32");
  const auto both = [&](const std::string& x, int64_t in, int64_t out) {
    return unit(net, unit(net, x, in, out, 3), out, out, 3);
  };
  const auto up = [&](const std::string& x, int64_t in, int64_t out) {
    return net.node("ConvTranspose(" + x + ", " +
                        net.floats(std::to_string(in) + ", " + std::to_string(out) + ", 2, 2") +
                        ", " + net.floats(std::to_string(out)) + ")",
                    "kernel_shape=[2, 2], strides=[2, 2]");
  };
  const std::string top = both("x", 3, 32), middle = both(net.max_pool(top, 2, 2), 32, 64);
  const std::string low = both(net.max_pool(middle, 2, 2), 64, 96);
  const std::string back = both(net.concat(middle + ", " + up(low, 96, 64)), 128, 64);
  const std::string out = both(net.concat(top + ", " + up(back, 64, 32)), 64, 32);
  return net.graph(net.conv(out, 32, 5, 1));
}

Graph yolo_shaped() {
  Lines net("3, 64, 64");
  constexpr int64_t kClasses = 4;
  const std::string stem = silu_unit(net, silu_unit(net, "x", 3, 32, 3, 2), 32, 48, 3, 2);
  const std::string fine = c2f(net, silu_unit(net, stem, 48, 64, 3, 2), 64, 64);    // 8x8
  const std::string coarse = c2f(net, silu_unit(net, fine, 64, 96, 3, 2), 96, 96);  // 4x4
  const std::string a = silu_unit(net, coarse, 96, 48, 1), b = net.max_pool(a, 5, 1),
                    c = net.max_pool(b, 5, 1);
  const std::string pooled = silu_unit(net, net.concat(a + ", " + b + ", " + c), 144, 96, 1);
  const std::string grown = net.node(
      "Resize(" + pooled + ", -, " + net.constant("float32 [4] = 1 1 2 2") + ")",
      "mode=\"nearest\", coordinate_transformation_mode=\"asymmetric\", nearest_mode=\"floor\"");
  const std::string neck = c2f(net, net.concat(grown + ", " + fine), 160, 64);
  const auto head = [&](const std::string& x, int64_t width, const std::string& cells) {
    const std::string values = std::to_string(4 + kClasses);
    return net.reshape(net.conv(silu_unit(net, x, width, 48, 3), 48, 4 + kClasses, 1),
                       "-1 " + values + " " + cells, 3);
  };
  const std::string all = net.concat(head(neck, 64, "64") + ", " + head(pooled, 96, "16"), 2);
  const auto [boxes, classes] = net.halves(all, 4 + kClasses);
  return net.graph(net.concat(boxes + ", " + net.node("Sigmoid(" + classes + ")")));
}

Graph vit_shaped() {
  Lines net("3, 32, 32");
  constexpr int64_t kWidth = 64, kTokens = 16;
  const std::string patches =
      net.node("Conv(x, " + net.floats("64, 3, 8, 8") + ", " + net.floats("64") + ")",
               "kernel_shape=[8, 8], strides=[8, 8]");
  std::string x = net.transpose(net.reshape(patches, "-1 64 16", 3), "0, 2, 1");
  x = net.node("Add(" + x + ", " + net.floats("1, 16, 64") + ")");
  for (int block = 0; block < 2; ++block) {
    x = net.node("Add(" + x + ", " + attention(net, layer_norm(net, x, kWidth), kTokens, kWidth) +
                 ")");
    const std::string hidden = gelu(net, net.linear(layer_norm(net, x, kWidth), kWidth, 128));
    x = net.node("Add(" + x + ", " + net.linear(hidden, 128, kWidth) + ")");
  }
  const std::string mean =
      net.node("ReduceMean(" + layer_norm(net, x, kWidth) + ")", "axes=[1], keepdims=0");
  return net.graph(net.node(
      "Gemm(" + mean + ", " + net.floats("10, 64") + ", " + net.floats("10") + ")", "transB=1"));
}

}  // namespace coppice
