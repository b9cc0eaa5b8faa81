/**
 * The closed table of symbols that a pickle may name (RULES.md PKL-4, FORMATS.md 3.3). A symbol is a pair of strings, looked up byte for
 * byte; what comes back is an inert token. Nothing is imported, and nobody can add to the table.
 *
 * @module
 */

/** What a token stands for: the patterns of calls.ts are written in these words. */
export type SymbolKind =
  | "reconstruct"
  | "ndarray"
  | "dtype"
  | "scalar"
  | "frombuffer"
  | "encode"
  | "tuple"
  | "list"
  | "set"
  | "frozenset"
  | "bytes"
  | "bytearray"
  | "dict"
  | "object"
  | "complex"
  | "range"
  | "slice"
  | "factory"
  | "eval"
  | "OrderedDict"
  | "defaultdict"
  | "denseTensor"
  | "record"
  | "generatorState"
  | "numpyType"
  | "reconstructor";

/** Modules, names in each of them, and what they stand for where that has another name. */
const ROWS: readonly (readonly [modules: string, names: string, kind?: SymbolKind])[] = [
  ["builtins __builtin__", "tuple list set frozenset bytes bytearray dict object complex range slice eval"],
  ["builtins __builtin__", "xrange", "range"],
  ["builtins __builtin__", "int float str bool type long unicode", "factory"],
  ["numpy.core.multiarray numpy._core.multiarray", "scalar"],
  ["numpy.core.multiarray numpy._core.multiarray", "_reconstruct", "reconstruct"],
  ["numpy.core.numeric numpy._core.numeric", "_frombuffer", "frombuffer"],
  ["numpy", "ndarray dtype"],
  [
    "numpy",
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_ complex64 complex128 bfloat16",
    "numpyType",
  ],
  [
    "numpy.dtypes",
    "Float16DType Float32DType Float64DType Int8DType Int16DType Int32DType Int64DType UInt8DType UInt16DType UInt32DType UInt64DType " +
    "BoolDType Complex64DType Complex128DType",
    "numpyType",
  ],
  ["_codecs", "encode"],
  ["collections", "OrderedDict defaultdict"],
  ["copyreg copy_reg", "_reconstructor", "reconstructor"],
  ["paddle.framework.io_utils", "_reconstruct_dense_tensor_data", "denseTensor"],
  [
    "paddle.distributed.checkpoint.metadata paddle.distributed.flex_checkpoint.dcp.metadata",
    "Metadata LocalTensorMetadata LocalTensorIndex",
    "record",
  ],
  ["paddle.base.libpaddle paddle.fluid.libpaddle", "GeneratorState", "generatorState"],
];

/** By module and name with one space between them: where a file has spaces in these, there are more. */
const TABLE: ReadonlyMap<string, SymbolKind> = new Map(
  ROWS.flatMap(([modules, names, kind]) =>
    modules.split(" ").flatMap((module) =>
      names.split(" ").map((name): [string, SymbolKind] => [`${module} ${name}`, kind ?? name as SymbolKind])
    )
  ),
);

/** What the table says of a symbol; undefined for everything that is not in it. */
export function lookUpSymbol(module: string, name: string): SymbolKind | undefined {
  return TABLE.get(`${module} ${name}`);
}
