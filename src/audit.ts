/**
 * Reports what a file names and contains, even if `load` refuses it.
 *
 * @module
 */
import { PickleAudit } from "./codec/pickle/pickle_audit.ts";
import type { Cursor } from "./codec/cursor.ts";
import type { FileKind } from "./codec/detect_kind.ts";
import { type FileContent, readFile } from "./codec/read_file.ts";
import { type ErrorJson, PaddleError, ValueError, type Warning } from "./errors.ts";
import { driveFrom } from "./io/drive/drive_from.ts";
import { notASingleFile } from "./io/models/not_a_single_file.ts";
import { type From, sourceOf } from "./io/open/open_source.ts";
import { type OpenedIndex, openIndex, openShard, readShardIndex, tensorIn } from "./io/models/shard_index.ts";
import type { Limits } from "./limits.ts";
import { limitsOf } from "./io/limits_of.ts";
import type { Opened } from "./io/sources/opened.ts";
import { fromFileInSteps } from "./model/from_file.ts";
import { opaqueObjectsIn } from "./model/opaque_objects.ts";
import { SpanBytes } from "./io/lazy/span_bytes.ts";
import { inTurns } from "./io/waiting/turns.ts";
import { AUDIT_OPTIONS, type AuditOptions, checkOptions } from "./options.ts";
import type { Value } from "./values.ts";

/** A symbol that a file names, or an opcode that is never executed. */
export interface AuditFinding {
  /** Such as `os.system`; empty if no symbol is involved. */
  symbol: string;
  /** Name of the pickle opcode. */
  opcode: string;
  /** Offset of that opcode. */
  offset: number;
  /** Path within the object, as far as it was known at that point. */
  at: string;
  /** Whether it is a symbol that plain data needs, used as plain data does. */
  verdict: "used-as-data" | "refused";
  /** The file, if there are several: those of an index. */
  file?: string;
}

/** What {@linkcode audit} found. */
export interface AuditReport {
  /** Whether {@linkcode load} would return a value. */
  ok: boolean;
  /** 0 clean, 1 refused content, 2 could not be parsed, 3 not a kind of file that is read. */
  exitCode: 0 | 1 | 2 | 3;
  /** The kind of the file; if it cannot be parsed, the kind that its first bytes suggest. */
  kind: "pickle" | "record" | "tnum" | "program" | "safetensors" | "shards" | "unknown";
  /** Every symbol, in file order. */
  symbols: AuditFinding[];
  /** Why it is not ok: the error that `load` throws. */
  error?: ErrorJson;
  /** Oddities such as repeated keys or trailing bytes. */
  warnings: Warning[];
  /** Number of pickle opcodes processed. */
  opcodes?: number;
  /** Size of the file, or of all files of an index, in bytes, if known. */
  size?: number;
  /**
   * With `{ unknown: "opaque" }`, what {@linkcode load} would return if it knew all classes: each object of another class is a
   * {@linkcode PickledObject}. Missing if the file cannot be parsed.
   */
  value?: Value;
}

/**
 * Walk through a file without executing anything and list the symbols it names. A file that {@linkcode load} refuses gets a report, too:
 * the walk continues after a refused symbol, with an unknown value in its place. For the index of a sharded checkpoint (`.index.json`) all
 * its files are walked through.
 *
 * With `{ unknown: "opaque" }` the report has the file's value, read whole, in which objects of unknown classes are frozen records: so
 * weights beside such an object can be saved without it.
 *
 * @throws {SourceError} the file cannot be found or read
 * @throws {ValueError} `INVALID_VALUE`: `unknown` with the index of a sharded checkpoint
 *
 * @example A pickle that would call os.system
 * ```ts
 * import { audit } from "@oarlock/paddle";
 * const file = new TextEncoder().encode("cos\nsystem\n(Vls\ntR.");
 * const report = await audit(file);
 * if (report.ok || report.symbols[0].symbol !== "os.system") throw new Error("missed");
 * ```
 *
 * @example What is beside an argparse.Namespace
 * ```ts
 * import { audit, PickledObject } from "@oarlock/paddle";
 * const pickle = "(dVepoch\nI3\nsVargs\ncargparse\nNamespace\n)\x81s.";
 * const file = Uint8Array.from(pickle, (char) => char.charCodeAt(0));
 * const { value } = await audit(file, { unknown: "opaque" });
 * const { epoch, args } = Object.fromEntries(value as Map<string, unknown>);
 * if (epoch !== 3 || (args as PickledObject).symbol !== "argparse.Namespace") throw new Error("lost");
 * ```
 */
export async function audit(from: From, options: AuditOptions = {}): Promise<AuditReport> {
  checkOptions(options, AUDIT_OPTIONS);
  options.signal?.throwIfAborted();
  const limits = limitsOf(options.limits);
  const index = await openIndex(from, options);
  if (index && options.unknown !== undefined) {
    throw new ValueError("INVALID_VALUE", "unknown: an index has no value of its own: audit its files one by one");
  }
  return index ? await auditShards(index, { ...options, limits }) : await auditFile(from, { ...options, limits });
}

/** The options, with all limits. */
type Checked = AuditOptions & { limits: Readonly<Limits> };
type Lazy = NonNullable<NonNullable<Parameters<typeof fromFileInSteps>[1]>["lazy"]>;

/** One report of all files that an index names. The first failure is reported, and the rest is walked through all the same. */
async function auditShards(index: OpenedIndex, options: Checked): Promise<AuditReport> {
  const { limits, signal } = options;
  const all: AuditReport = { ok: true, exitCode: 0, kind: "shards", symbols: [], warnings: [], size: 0 };
  try {
    const { folder, files } = await readShardIndex(index, limits, signal);
    const named = new Map<string, string[]>();
    for (const [name, file] of files) named.set(file, named.get(file) ?? []).get(file)!.push(name);
    for (const [file, names] of named) {
      const check = (value: Value) => names.forEach((name) => tensorIn(value, name, file));
      const report = await auditFile(await openShard(folder, file, signal), options, check);
      addAll(all.symbols, report.symbols.map((finding) => ({ ...finding, file })));
      addAll(all.warnings, report.warnings);
      all.size! += report.size ?? 0;
      if (report.opcodes !== undefined) all.opcodes = (all.opcodes ?? 0) + report.opcodes;
      if (report.error) fail(all, report.error, report.exitCode);
    }
  } catch (error) {
    if (!(error instanceof PaddleError) || error.name === "SourceError") throw error;
    fail(all, error.toJSON(), exitCodeOf(error));
  }
  return all;
}

function fail(report: AuditReport, error: ErrorJson, exitCode: AuditReport["exitCode"]): void {
  if (!report.ok) return;
  report.ok = false;
  report.error = error;
  report.exitCode = exitCode;
}

/** Checks the value of a file. */
type Check = (value: Value) => void;

async function auditFile(from: From, options: Checked, check?: Check): Promise<AuditReport> {
  const opened = await sourceOf(from, options).catch(async (error) => {
    throw await notASingleFile(error, from, options, "audit");
  });
  const report: AuditReport = { ok: true, exitCode: 0, kind: "unknown", symbols: [], warnings: [], size: opened.size };
  const audit = new PickleAudit(options.unknown === "opaque"), { findings } = audit;
  const error = await walkThrough(opened, report, audit, options, check);
  for (const { error: _, ...finding } of findings) {
    if (finding.symbol !== "" || finding.verdict === "refused") report.symbols.push(finding);
  }
  // What was refused says more than the failure of the walk that went on after it.
  const first = findings.find((finding) => finding.error)?.error ?? error;
  if (first) fail(report, first.toJSON(), isOfWholePickle(first, report) ? 1 : exitCodeOf(first));
  if (report.exitCode === 3) report.kind = "unknown";
  return report;
}

/** What a report calls the kinds that have decoders. */
const KINDS: { readonly [K in FileKind]?: AuditReport["kind"] } = {
  pickle: "pickle",
  tnum: "tnum",
  record: "record",
  selected_rows: "record",
  program: "program",
  pir: "program",
  safetensors: "safetensors",
};

/** Read a file as `load` would, without keeping its arrays, and note what is found; returns the error that `load` would throw. */
async function walkThrough(
  opened: Opened,
  report: AuditReport,
  audit: PickleAudit,
  { signal, limits, strict, unknown }: Checked,
  check?: Check,
): Promise<PaddleError | undefined> {
  const keepUnknown = unknown === "opaque";
  const source = "stream" in opened ? null : opened;
  const texts: SpanBytes[] = [];
  const lazy: Lazy = (span, finish, from) => {
    const bytes = new SpanBytes(source!, span, finish, from);
    if (span.encoding === "latin1") texts.push(bytes);
    return bytes;
  };
  const shape = async (content: FileContent, borrowed: boolean) => {
    if (content.kind === "pickle") {
      report.opcodes = content.pickle.opcodes;
      addAll(report.warnings, content.pickle.warnings);
    }
    if (keepUnknown && content.kind === "pickle") await inTurns(opaqueObjectsIn(content.pickle), signal);
    else if (audit.findings.some((finding) => finding.error)) return;
    const known = report.warnings.length;
    const shaped = await inTurns(fromFileInSteps(content, { borrowed, lazy: keepUnknown ? undefined : lazy }), signal);
    addAll(report.warnings, shaped.warnings.slice(known));
    check?.(shaped.value);
    if (keepUnknown) report.value = shaped.value;
  };
  try {
    const onKind = (kind: FileKind) => report.kind = KINDS[kind] ?? "unknown";
    const read = (cursor: Cursor) => readFile(cursor, { limits, strict, audit, onKind });
    await driveFrom(opened, read, shape, { signal, lazy: !keepUnknown, maxStreamBytes: limits.maxStreamBytes });
    // Only reading a string that encodes bytes shows whether their number is right.
    for (const text of texts) await text.read({ signal });
    return undefined;
  } catch (error) {
    if (!(error instanceof PaddleError) || error.name === "SourceError") throw error;
    return error;
  } finally {
    await source?.close?.();
  }
}

/** Appends items, of which there could be too many for the arguments of one `push`. */
function addAll<T>(to: T[], items: readonly T[]): void {
  for (const item of items) to.push(item);
}

/** Whether a pickle was parsed to its end, and an array refused that no Tensor can hold. */
function isOfWholePickle({ code }: PaddleError, { opcodes }: AuditReport): boolean {
  return code === "UNSUPPORTED_DTYPE" && opcodes !== undefined;
}

function exitCodeOf(error: PaddleError): 1 | 2 | 3 {
  if (error.name === "UnsafeError") return 1;
  return error.code === "UNKNOWN_FORMAT" || error.code === "WRONG_FORMAT" ? 3 : 2;
}
