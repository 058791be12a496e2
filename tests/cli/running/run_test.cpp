// coppice run: arrays in, arrays out, and every way in which they don't fit the model.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "cli/program.h"
#include "codec/container/codec.h"
#include "core/files.h"
#include "core/numbers/half.h"
#include "core/random.h"
#include "data/formats/npy.h"
#include "data/formats/npz.h"
#include "onnx/onnx.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using testing::HasSubstr;

constexpr char kNet[] = R"(
  input x float32 [N, 3, 8, 8]
  const w float32 [4, 3, 3, 3] random
  const v float32 [5, 4] random
  a = Conv(x, w) {pads=[1, 1, 1, 1]}
  b = Relu(a)
  c = GlobalAveragePool(b)
  d = Flatten(c)
  y = Gemm(d, v) {transB=1}
  output y
)";

constexpr char kTwoEach[] = R"(
  input left/ids int64 [N, 2]
  input right float32 [N, 2]
  a = Cast(left/ids) {to=1}
  sum = Add(a, right)
  product = Mul(a, right)
  output sum
  output product
)";

Tensor floats(const Shape& shape) {
  Tensor tensor = Tensor::zeros(DType::f32, shape);
  Random random = Random::stream(7, {});
  for (float& x : tensor.mutate<float>()) x = random.normal();
  return tensor;
}

Tensor read_array(const std::filesystem::path& path) {
  return parse_npy(read_file(path), path.string());
}

class Run : public testing::Test {
 protected:
  std::string write_array(const std::string& name, const Tensor& tensor) {
    AtomicFile file(dir / name);
    write_npy(tensor, file);
    file.commit();
    return dir / name;
  }
  std::string write_model(const std::string& name, const std::string& text) {
    write_onnx(parse_text_graph(text), dir / name);
    return dir / name;
  }
  // Refused, with nothing written.
  void expect_refused(Arguments arguments, int code, const std::string& message) {
    const auto before = names_in(dir.path());
    arguments.insert(arguments.begin(), "run");
    EXPECT_TRUE(fails(coppice(arguments), code, message));
    EXPECT_EQ(names_in(dir.path()), before);
  }

  TempDir dir;
};

void expect_near(const Tensor& found, const Tensor& expected) {
  ASSERT_EQ(found.shape(), expected.shape());
  for (int64_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found.as<float>()[i], expected.as<float>()[i], 1e-4);
  }
}

TEST_F(Run, gives_what_the_reference_gives_from_a_file_and_from_a_container) {
  const Graph graph = parse_text_graph(kNet);
  const std::string model = write_model("m.onnx", kNet);
  ASSERT_EQ(coppice({"compress", model, "-o", dir / "m.coppice"}).code, 0);
  const Tensor x = floats({3, 3, 8, 8});
  const Tensor expected = run_reference(graph, std::vector<Tensor>{x}).front();
  for (const char* name : {"m.onnx", "m.coppice"}) {
    const Ran ran = coppice({"run", dir / name, "--input", write_array("x.npy", x), "-o",
                             dir / "y.npy", "--threads", "1", "--json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    expect_near(read_array(dir / "y.npy"), expected);
    EXPECT_EQ(ran.json()["threads"], 1);
    EXPECT_EQ(ran.json()["outputs"][0]["shape"], (std::vector<int64_t>{3, 5}));
    EXPECT_EQ(ran.json()["outputs"][0]["file"], (dir / "y.npy").string());
    EXPECT_EQ(ran.json()["inputs"][0]["type"], "float32");
  }
}

TEST_F(Run, several_arrays_go_by_name_as_files_or_as_archives) {
  const std::string model = write_model("m.onnx", kTwoEach);
  const Tensor ids = Tensor::of<int64_t>({1, 2}, std::vector<int64_t>{2, 3});
  const Tensor right = Tensor::of<float>({1, 2}, std::vector<float>{0.5f, 4});
  const std::string first = "left/ids=" + write_array("a=b.npy", ids);
  const std::string second = "right=" + write_array("right.npy", right);
  Ran ran = coppice({"run", model, "--input", first, "--input", second, "-o",
                     "product=" + (dir / "p.npy").string(), "--output", dir / "all.npz"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Tensor product = Tensor::of<float>({1, 2}, std::vector<float>{1, 12});
  EXPECT_EQ(read_array(dir / "p.npy"), product);
  const auto all = read_npz(dir / "all.npz");
  EXPECT_EQ(all.at("product"), product);
  EXPECT_EQ(all.at("sum"), Tensor::of<float>({1, 2}, std::vector<float>{2.5f, 7}));

  write_npz({{"left/ids", ids}, {"right", right}}, dir / "in.npz");
  ran = coppice(
      {"run", model, "--input", dir / "in.npz", "-o", "product=" + (dir / "again.npy").string()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(read_text(dir / "again.npy"), read_text(dir / "p.npy"));
}

TEST_F(Run, without_an_output_the_outputs_are_described) {
  const std::string x = write_array("x.npy", floats({2, 1, 28, 28}));
  const Ran ran = coppice({"run", "zoo:lenet5", "--input", x});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("2x10"));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"x.npy"});
}

TEST_F(Run, a_model_of_halves_takes_and_gives_halves) {
  const std::string model = write_model("m.onnx", R"(
    input x float16 [N, 2]
    y = Relu(x)
    output y float16
  )");
  const Tensor x = Tensor::of<float>({1, 2}, std::vector<float>{-1, 0.333f});
  const Tensor half = narrowed(x, DType::f16);
  for (const Tensor& given : {x, half}) {
    const Ran ran =
        coppice({"run", model, "--input", write_array("x.npy", given), "-o", dir / "y.npy"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(read_array(dir / "y.npy").dtype(), DType::f16);
    EXPECT_EQ(widened(read_array(dir / "y.npy")).as<float>()[1], widened(half).as<float>()[1]);
  }
}

TEST_F(Run, arrays_that_do_not_fit_are_refused_with_file_input_found_and_expected) {
  const std::string model = write_model("m.onnx", kNet);
  const auto refused = [&](const std::string& file, const std::string& message) {
    expect_refused({model, "--input", file, "-o", dir / "y.npy"}, 3, message);
  };
  refused(write_array("d.npy", Tensor::zeros(DType::f64, {1, 3, 8, 8})),
          "d.npy': input 'x' is given as float64 1x3x8x8, expected float32 Nx3x8x8; convert it");
  refused(write_array("s.npy", floats({1, 3, 8, 9})), "float32 1x3x8x9, expected float32 Nx3x8x8");
  refused(write_array("r.npy", floats({3, 8, 8})), "float32 3x8x8, expected float32 Nx3x8x8");
  refused(dir / "gone.npy", "gone.npy");
  write_text(dir / "text.npy", "no array");
  refused(dir / "text.npy", "no npy file");
  const std::string bytes = read_text(write_array("x.npy", floats({1, 3, 8, 8})));
  write_text(dir / "cut.npy", bytes.substr(0, bytes.size() - 1));
  refused(dir / "cut.npy", "767 bytes of elements, expected 192 of 4 bytes");
  std::string big = bytes;
  big[big.find("<f4")] = '>';
  write_text(dir / "big.npy", big);
  refused(dir / "big.npy", ">f4 (big-endian)");
  std::string fortran = bytes;
  fortran.replace(fortran.find("False, "), 6, "True, ");
  write_text(dir / "fortran.npy", fortran);
  refused(dir / "fortran.npy", "Fortran order, expected C order");
}

TEST_F(Run, names_that_are_not_the_models_are_refused_with_the_nearest) {
  const std::string model = write_model("m.onnx", kTwoEach);
  const std::string right = write_array("right.npy", Tensor::zeros(DType::f32, {1, 2}));
  const std::string ids = write_array("ids.npy", Tensor::zeros(DType::i64, {1, 2}));
  const std::string given = "right=" + right, both = "left/ids=" + ids;
  expect_refused({model, "--input", "rigth=" + right}, 2,
                 "no input 'rigth', expected 'left/ids', 'right'; did you mean 'right'?");
  expect_refused({model, "--input", right}, 2,
                 "2 inputs ('left/ids', 'right'), expected NAME=FILE");
  expect_refused({model, "--input", given}, 2, "no array is given for 'left/ids'");
  expect_refused({model, "--input", given, "--input", given}, 2, "is given already");
  expect_refused({model, "--input", given, "--input", "left/ids="}, 2, "names no file");
  write_npz({{"left", Tensor::zeros(DType::i64, {1, 2})}}, dir / "in.npz");
  expect_refused({model, "--input", dir / "in.npz"}, 2, "in.npz': the model has no input 'left'");
  const Arguments inputs{model, "--input", given, "--input", both, "-o"};
  const auto refused_output = [&](const std::string& output, const std::string& message) {
    Arguments arguments = inputs;
    arguments.push_back(output);
    expect_refused(arguments, 2, message);
  };
  refused_output(dir / "y.npy", "the model has 2 outputs ('sum', 'product')");
  refused_output("prodct=" + (dir / "y.npy").string(), "did you mean 'product'?");
  refused_output("sum=" + (dir / "y.txt").string(), ".npy");
  refused_output("sum=" + right, "is also an input or output");
}

TEST_F(Run, what_cannot_be_run_is_named_with_its_node_and_nothing_is_written) {
  std::string odd = kNet;
  odd.replace(odd.find("b = Relu(a)"), 11, "b = Mystery(a)");
  const std::string x = write_array("x.npy", floats({1, 3, 8, 8}));
  expect_refused({write_model("odd.onnx", odd), "--input", x, "-o", dir / "y.npy"}, 4, "(Mystery)");
  Graph graph = parse_text_graph(kNet);
  graph.value(*find_value(graph, "w")).constant->mutate<float>()[5] =
      std::numeric_limits<float>::quiet_NaN();
  write_onnx(graph, dir / "nan.onnx");
  expect_refused({dir / "nan.onnx", "--input", x, "-o", dir / "y.npy"}, 3,
                 "(Conv): 'w' holds a NaN, element 5 of 108");
  write_text(dir / "cut.onnx", read_text(dir / "nan.onnx").substr(0, 100));
  expect_refused({dir / "cut.onnx", "--input", x, "-o", dir / "y.npy"}, 3, "cut.onnx");
}

TEST_F(Run, options_come_from_a_file_too) {
  const std::string x = write_array("x.npy", floats({1, 1, 28, 28}));
  write_text(dir / "c.toml",
             "[run]\ninput = [\"" + x + "\"]\noutput = [\"" + (dir / "y.npy").string() + "\"]\n");
  const Ran ran = coppice({"run", "zoo:lenet5", "--config", dir / "c.toml"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(read_array(dir / "y.npy").shape(), (Shape{1, 10}));
}

}  // namespace
}  // namespace coppice
