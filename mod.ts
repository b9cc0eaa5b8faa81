/**
 * PaddlePaddle's model files without Python: `load` and `save` with the meaning of `paddle.load` and `paddle.save`, in Deno, Bun, Node
 * and browsers. Import it as a namespace, and the code reads like the Python you know.
 *
 * @example Load, change one variable, save
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 *
 * const bytes = paddle.encode(new Map([["weight", paddle.fromArray([[1, 2], [3, 4]], "float32")]]));
 * const state = paddle.decode(bytes) as paddle.StateDict;
 * (state.get("weight") as paddle.Tensor).set(5, 0, 1);
 * const again = paddle.decode(paddle.encode(state)) as paddle.StateDict;
 * if ((again.get("weight") as paddle.Tensor).at(0, 1) !== 5) throw new Error("lost");
 * ```
 *
 * @module
 */
export * as amp from "./src/amp/mod.ts";
export { audit, type AuditFinding, type AuditReport } from "./src/audit.ts";
export * as crypto from "./src/crypto/mod.ts";
export { decode } from "./src/decode.ts";
export { detect, type DetectOptions, type FileKind } from "./src/detect.ts";
export * as distributed from "./src/distributed/mod.ts";
export { type DType, DTYPES, isDType } from "./src/dtype.ts";
export { encode } from "./src/encode.ts";
export {
  ERROR_CODES,
  type ErrorClass,
  type ErrorCode,
  type ErrorFields,
  type ErrorJson,
  FormatError,
  HttpError,
  isPaddleError,
  LimitError,
  PaddleError,
  PathError,
  SaveError,
  SourceError,
  UnsafeError,
  UnsupportedError,
  ValueError,
  type Warning,
} from "./src/errors.ts";
export * as fluid from "./src/fluid/mod.ts";
export { DirectoryFolder, type DirectoryFolderOptions } from "./src/io/folders/directory_folder.ts";
export { type FolderRecovery, recoverFolder } from "./src/io/folders/whole_folder.ts";
export { cleanupTemps } from "./src/io/disk/temp_file.ts";
export { type Folder, type GetOptions, type PutOptions, setDefaultFolder, type Unchanged } from "./src/io/folder.ts";
export type { Fetch, HttpOptions } from "./src/io/http/http_options.ts";
export {
  type Bucket,
  type BucketCondition,
  BucketFolder,
  type BucketFolderOptions,
  type BucketObject,
  type BucketUpload,
} from "./src/io/folders/bucket_folder.ts";
export { DownloadSink } from "./src/io/sinks/download_sink.ts";
export { FileListFolder } from "./src/io/folders/file_list_folder.ts";
export type { DirectoryHandle, FileHandle, WritableFile } from "./src/io/file_handle.ts";
export { HandleFolder } from "./src/io/folders/handle_folder.ts";
export { HttpFolder, type HttpFolderOptions } from "./src/io/folders/http_folder.ts";
export { IndexedDbFolder } from "./src/io/folders/indexed_db_folder.ts";
export { S3Folder, type S3FolderOptions } from "./src/io/folders/s3_folder.ts";
export type { SyncHandle } from "./src/io/sync_handle.ts";
export { MemoryFolder } from "./src/io/folders/memory_folder.ts";
export type { FolderEntry, From } from "./src/io/open/open_source.ts";
export type { Sink } from "./src/io/sink.ts";
export type { To } from "./src/io/open/sink_of.ts";
export type { Source } from "./src/io/source.ts";
export {
  Model,
  type ModelLoadOptions,
  type ModelSaveOptions,
  type StatefulNetwork,
  type StatefulOptimizer,
  type StatefulScaler,
} from "./src/hapi/model.ts";
export * as jit from "./src/jit/mod.ts";
export { type CompiledModule, init } from "./src/kernel.ts";
export type { Disposed } from "./src/words/disposed.ts";
export { DEFAULT_LIMITS, type Limits } from "./src/limits.ts";
export { load } from "./src/load.ts";
export {
  type ArrayInput,
  fromArray,
  full,
  type LazyBytes,
  NDArray,
  type NestedArray,
  type NumericArray,
  type PieceOptions,
  type Scalar,
  zeros,
} from "./src/ndarray.ts";
export * as nn from "./src/nn/mod.ts";
export { createParameter, type CreateParameterOptions } from "./src/nn/create_parameter.ts";
export { getDefaultDtype, setDefaultDtype } from "./src/nn/default_dtype.ts";
export { ParamAttr, type ParamAttrArguments, type ParamAttrLike } from "./src/nn/param_attr.ts";
export type { OptimizeAttr, Parameter, ParameterOptions } from "./src/nn/parameter.ts";
export type { Call } from "./src/nn/arguments.ts";
export type { Initializer } from "./src/nn/initializer/initializer.ts";
export type { L1Decay, L2Decay, Regularizer } from "./src/regularizer/mod.ts";
export { seed } from "./src/nn/random/generator.ts";
export { type ArrayInfo, Checkpoint, type ReadOptions, type StreamOptions } from "./src/checkpoint.ts";
export { open } from "./src/open.ts";
export { sideIndex } from "./src/side_index.ts";
export { type ArchiveFolder, openArchive, type OpenArchiveOptions } from "./src/open_archive.ts";
export * as optimizer from "./src/optimizer/mod.ts";
export type {
  AuditOptions,
  DecodeOptions,
  EncodeOptions,
  Float8,
  LoadOptions,
  OpenOptions,
  ProgressEvent,
  SaveOptions,
  StopOptions,
} from "./src/options.ts";
export * as regularizer from "./src/regularizer/mod.ts";
export {
  type AttributeValue,
  type Block,
  type Operator,
  type Port,
  Program,
  type ProgramVariable,
  type VariableKind,
} from "./src/program.ts";
export { type Recovered, type RecoverOptions, recoverStateDict } from "./src/recover_state_dict.ts";
export type { NameOrigin, RecoveredEntry, RecoverReport } from "./src/model/recover.ts";
export type { ModelParts } from "./src/io/models/model_parts.ts";
export { save, type SaveReport } from "./src/save.ts";
import * as staticGraph from "./src/static/mod.ts";
export { staticGraph as static };
export { maxDifference, type Statistics, statistics } from "./src/words/statistics.ts";
export { DenseTensor, Tensor, type TensorOptions } from "./src/tensor.ts";
export * as utils from "./src/utils/mod.ts";
export {
  ByteArray,
  Complex,
  DefaultDict,
  DTypeValue,
  Float,
  FrozenSet,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PickledObject,
  PythonRecord,
  Range,
  SelectedRows,
  Slice,
  type StateDict,
  toMap,
  toObject,
  Tuple,
  type Value,
} from "./src/values.ts";
import "./src/words/shown_by_console.ts";
