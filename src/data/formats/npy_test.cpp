// npy files: tiny ones written here, every way they can be wrong.
#include "data/formats/npy.h"

#include <cstring>

#include "data/in_quotes.h"
#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

std::string header(const std::string& dtype, const std::string& shape, int version = 1,
                   const std::string& order = "False") {
  const std::string text =
      "{'descr': '" + dtype + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    bytes += static_cast<char>(text.size() >> (8 * i) & 255);
  }
  return bytes + text;
}

template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string counting(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(i);
  return bytes;
}

struct Files {
  test::TempFolder folder;
  std::string images, labels;

  Files(const std::string& image_bytes, const std::string& label_bytes)
      : images(folder.write("x.npy", image_bytes)), labels(folder.write("y.npy", label_bytes)) {}
  std::unique_ptr<Dataset> open() const {
    return open_dataset("npy:" + images + "," + labels, Split::test);
  }
};

const std::string& two_labels() {
  static const std::string bytes = header("<i8", "(2,)") + raw<int64_t>({4, 1});
  return bytes;
}

TEST(Npy, grey_images_and_labels_are_read_in_every_version) {
  for (const int version : {1, 2, 3}) {
    const Files files(header("|u1", "(2, 2, 3)", version) + counting(12), two_labels());
    const auto dataset = files.open();
    EXPECT_EQ(dataset->size(), 2);
    EXPECT_EQ(dataset->classes(), 5);
    EXPECT_EQ(dataset->read(0).label, 4);
    EXPECT_EQ(dataset->read(1).pixels.shape(), (Shape{1, 2, 3}));
    EXPECT_EQ(test::pixels_of(dataset->read(1).pixels), (std::vector<uint8_t>{6, 7, 8, 9, 10, 11}));
    EXPECT_FALSE(dataset->own_preprocessing());
  }
}

TEST(Npy, channels_last_become_planes) {
  const Files files(header("|u1", "(2, 1, 2, 3)") + counting(12), two_labels());
  EXPECT_EQ(files.open()->read(0).pixels.shape(), (Shape{1, 2, 3}));  // channels first wins
  const Files last(header("|u1", "(2, 2, 2, 3)") + counting(24), two_labels());
  const Tensor pixels = last.open()->read(0).pixels;
  EXPECT_EQ(pixels.shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(test::pixels_of(pixels), (std::vector<uint8_t>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
}

TEST(Npy, floats_stay_floats_at_any_alignment) {
  for (const char* shape : {"(2, 2)", "(2,  2)", "(2,   2)", "(2, 2,)"}) {
    const Files files(header("<f4", shape) + raw<float>({-1, 0.5f, 2, 3}), two_labels());
    const auto dataset = files.open();
    const Tensor pixels = dataset->read(1).pixels;
    EXPECT_EQ(pixels.shape(), (Shape{1, 1, 2}));
    EXPECT_EQ(pixels.as<float>()[0], 2);
    EXPECT_EQ(dataset->own_preprocessing(), parse_preprocessing("none"));
  }
}

TEST(Npy, labels_may_have_any_integer_type) {
  const std::string images = header("|u1", "(2, 1, 1)") + counting(2);
  const std::pair<const char*, std::string> variants[] = {
      {"|u1", raw<uint8_t>({4, 1})}, {"|i1", raw<int8_t>({4, 1})},
      {"<i2", raw<int16_t>({4, 1})}, {"<u2", raw<uint16_t>({4, 1})},
      {"<i4", raw<int32_t>({4, 1})}, {"<u4", raw<uint32_t>({4, 1})}};
  for (const auto& [dtype, bytes] : variants) {
    const auto dataset = Files(images, header(dtype, "(2, 1)") + bytes).open();
    EXPECT_EQ(test::first_labels(*dataset, 2), (std::vector<int64_t>{4, 1})) << dtype;
  }
}

void expect_bad_images(const std::string& bytes, std::vector<std::string> parts) {
  const Files files(bytes, two_labels());
  parts.push_back(in_quotes(files.images));
  expect_error(ErrorKind::input, parts, [&] { files.open(); });
}

void expect_bad_labels(const std::string& bytes, std::vector<std::string> parts) {
  const Files files(header("|u1", "(2, 1, 1)") + counting(2), bytes);
  parts.push_back(in_quotes(files.labels));
  expect_error(ErrorKind::input, parts, [&] { files.open(); });
}

TEST(Npy, what_is_no_npy_file_is_an_error) {
  expect_bad_images("", {"0 bytes", "NUMPY"});
  expect_bad_images("PK\3\4 and so on", {"NUMPY"});
  expect_bad_images(std::string("\x93NUMPY\x09\0\x10\0", 10), {"version 9", "1 to 3"});
  expect_bad_images(std::string("\x93NUMPY\x01\0\xff\xff", 10), {"10 bytes", "65545"});
  expect_bad_images(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12), {"12 bytes", "header"});
}

TEST(Npy, unsupported_types_and_orders_are_errors) {
  expect_bad_images(header("<f8", "(2, 1, 1)") + std::string(16, '\0'), {"float64", "float32"});
  expect_bad_images(header("<c8", "(2, 1, 1)") + std::string(16, '\0'), {"<c8", "float32 (<f4)"});
  expect_bad_images(header(">f4", "(2, 1, 1)") + std::string(8, '\0'), {">f4 (big-endian)", "<f4"});
  expect_bad_images(header("<i4", "(2, 1, 1)") + std::string(8, '\0'), {"int32", "uint8"});
  expect_bad_images(header("|u1", "(2, 1, 1)", 1, "True") + "ab", {"Fortran", "C order"});
  expect_bad_labels(header("<f4", "(2,)") + std::string(8, '\0'), {"float32", "integers"});
}

TEST(Npy, wrong_sizes_name_both_numbers) {
  expect_bad_images(header("|u1", "(2, 2, 2)") + counting(7), {"7 bytes", "8 of 1 bytes", "2x2x2"});
  expect_bad_images(header("|u1", "(2, 2, 2)") + counting(9), {"9 bytes", "8 of 1 bytes"});
  expect_bad_images(header("<f4", "(4611686018427387904, 1)"), {"0 bytes", "4611686018427387904"});
  expect_bad_images(header("|u1", "(4294967296, 4294967296)"), {"4294967296x4294967296"});
}

TEST(Npy, shapes_that_make_no_images_are_errors) {
  expect_bad_images(header("|u1", "(0, 2, 2)"), {"0x2x2", "without a zero"});
  expect_bad_images(header("|u1", "(2,)") + counting(2), {"shape 2", "2 to 4 axes"});
  expect_bad_images(header("|u1", "()") + counting(1), {"scalar"});
  expect_bad_images(header("|u1", "(2, x)"), {"(2, x)", "parentheses"});
  expect_bad_images(header("|u1", "(2, -1)"), {"(2, -1)", "parentheses"});
  expect_bad_images(header("|u1", "[2]"), {"[2]", "parentheses"});
}

TEST(Npy, labels_out_of_range_or_of_another_number_are_errors) {
  expect_bad_labels(header("<i8", "(3,)") + raw<int64_t>({1, 2, 3}), {"shape 3", "expected 2"});
  expect_bad_labels(header("<i8", "(2,)") + raw<int64_t>({1, -1}), {"label -1", "image 1"});
  expect_bad_labels(header("<i8", "(2,)") + raw<int64_t>({int64_t{1} << 60, 0}),
                    {"label 1152921504606846976", "image 0", "99999"});
}

TEST(Npy, two_files_are_training_images_for_both_splits) {
  const Files files(header("|u1", "(2, 1, 1)") + counting(2), two_labels());
  for (const Split split : {Split::train, Split::test}) {
    const auto dataset = open_dataset("npy:" + files.images + "," + files.labels, split);
    EXPECT_EQ(dataset->split(), Split::train);
    EXPECT_EQ(dataset->size(), 2);
  }
}

TEST(Npy, two_more_files_are_to_test_with_and_both_say_how_many_classes_there_are) {
  const Files files(header("|u1", "(2, 1, 1)") + counting(2), two_labels());
  const std::string images = files.folder.write("tx.npy", header("|u1", "(1, 1, 1)") + "x");
  for (const char* label : {"\x2", "\x9"}) {
    const std::string labels = files.folder.write("ty.npy", header("|u1", "(1,)") + label);
    const std::string spec =
        "npy:" + files.images + "," + files.labels + "," + images + "," + labels;
    const auto train = open_dataset(spec, Split::train), test = open_dataset(spec, Split::test);
    EXPECT_EQ(train->split(), Split::train);
    EXPECT_EQ(test->split(), Split::test);
    EXPECT_EQ(train->size(), 2);
    EXPECT_EQ(test->size(), 1);
    EXPECT_EQ(test->read(0).label, label[0]);
    EXPECT_EQ(test->read(0).pixels.as<uint8_t>()[0], 'x');
    EXPECT_EQ(train->classes(), std::max(5, label[0] + 1));
    EXPECT_EQ(test->classes(), train->classes());
  }
}

TEST(Npy, images_to_train_on_are_none_to_test_with) {
  const Files files(header("|u1", "(2, 1, 1)") + counting(2), two_labels());
  const std::string pair = files.images + "," + files.labels;
  expect_error(ErrorKind::usage, {"are those to train on", files.images},
               [&] { open_dataset("npy:" + pair + "," + pair, Split::test); });
}

TEST(Npy, the_spec_needs_two_or_four_files_that_exist) {
  for (const char* spec : {"npy:a.npy", "npy:,b", "npy:a,", "npy:a,b,c", "npy:a,b,c,", "npy:a,b,,d",
                           "npy:a,b,c,d,e"}) {
    expect_error(ErrorKind::usage, {spec, "npy:IMAGES,LABELS"},
                 [&] { open_dataset(spec, Split::train); });
  }
  expect_error(ErrorKind::input, {"/nowhere/x.npy"},
               [] { open_dataset("npy:/nowhere/x.npy,/nowhere/y.npy", Split::train); });
}

TEST(Npy, what_is_written_is_read_back_and_its_elements_are_aligned) {
  const test::TempFolder folder;
  const std::string path = folder.write("x.npy", "");
  const std::vector<Tensor> tensors = {
      Tensor::of<uint8_t>({2, 3}, std::vector<uint8_t>{0, 1, 1, 0, 1, 0}),
      Tensor::of<float>({}, std::vector<float>{1.5f}),
      Tensor::of<int64_t>({3}, std::vector<int64_t>{-1, 0, 7}),
      Tensor::zeros(DType::f32, {0, 4}),
  };
  for (const Tensor& tensor : tensors) {
    AtomicFile file(path);
    write_npy(tensor, file);
    file.commit();
    const Buffer bytes = read_file(path);
    EXPECT_EQ(parse_npy(bytes, "x"), tensor);
    EXPECT_EQ((bytes.size - tensor.bytes().size()) % 64, 0u);
  }
}

TEST(Npy, the_header_is_what_numpy_writes) {
  const test::TempFolder folder;
  const std::string path = folder.write("x.npy", "");
  AtomicFile file(path);
  write_npy(Tensor::zeros(DType::u8, {4, 3, 1, 1}), file);
  file.commit();
  const std::string text = read_text(path);
  EXPECT_EQ(text.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(text.substr(10, 68),
            "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3, 1, 1), }   ");
  EXPECT_EQ(text[127], '\n');
}

}  // namespace
}  // namespace coppice
