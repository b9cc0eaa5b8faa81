/** What is measured, compared with what, and the limits. */

/** Runtimes of the benchmark. */
export type RuntimeName = "deno" | "node" | "bun";

/** A row of times: ours divided by the peer's. */
export interface TimeRow {
  title: string;
  /** Job of `ours.ts`. */
  job: string;
  /** Job of `peer.py`. */
  peer: string;
  /** Description of what the peer does. */
  against: string;
  limit: number | Partial<Record<RuntimeName, number>>;
}

/** A row of memory: the peak of a job, minus the empty runtime and the array data. */
export interface MemoryRow {
  title: string;
  job: string;
}

const FSYNC = "`pickle.dump`, flush, `os.fsync`";

export const TIME_ROWS: readonly TimeRow[] = [
  {
    title: "`load`, 1 GiB in 200 tensors, protocol 4",
    job: "load:large4.pdparams",
    peer: "load:large4.pdparams",
    against: "`pickle.load`",
    limit: { node: 0.85, bun: 0.85, deno: 1.1 },
  },
  {
    title: "`open` of the same file",
    job: "open:large4.pdparams",
    peer: "load:large4.pdparams",
    against: "`pickle.load`",
    limit: 1 / 150,
  },
  {
    title: "`open` and `get` of one tensor of 5 MiB",
    job: "openOne:large4.pdparams",
    peer: "load:large4.pdparams",
    against: "`pickle.load`",
    limit: 1 / 80,
  },
  {
    title: "`load`, 256 MiB, protocol 2",
    job: "load:large2.pdparams",
    peer: "load:large2.pdparams",
    against: "`pickle.load`",
    limit: 0.3,
  },
  {
    title: "`load`, 20,000 small tensors",
    job: "load:small.pdparams",
    peer: "load:small.pdparams",
    against: "`pickle.load`",
    limit: 1.25,
  },
  {
    title: "`save`, 1 GiB, protocol 4, to a sink that writes, keeps nothing and does not sync",
    job: "pour:4",
    peer: "dump:4",
    against: "`pickle.dump`",
    limit: 0.5,
  },
  {
    title: "`save`, 1 GiB, protocol 4, to a path: synced, then renamed",
    job: "save:4",
    peer: "dump+fsync:4",
    against: FSYNC,
    limit: 0.5,
  },
  {
    title: "`save`, 256 MiB, protocol 2, to a sink that writes, keeps nothing and does not sync",
    job: "pour:2",
    peer: "dump:2",
    against: "`pickle.dump`",
    limit: 0.35,
  },
  {
    title: "`save`, 256 MiB, protocol 2, to a path: synced, then renamed",
    job: "save:2",
    peer: "dump+fsync:2",
    against: FSYNC,
    limit: 0.35,
  },
  {
    title: "`astype`, 512 MiB of float16 to float32",
    job: "astype",
    peer: "astype",
    against: "numpy's `astype`",
    limit: 0.75,
  },
  {
    title: "`load` of a model, 1 GiB in 200 records of `.pdiparams`, with its program",
    job: "model",
    peer: "records:model.pdiparams",
    against: "`numpy.fromfile` of each record",
    limit: 0.9,
  },
  {
    title: "the same",
    job: "model",
    peer: "buffers:model.pdiparams",
    against: "`numpy.frombuffer(file.read(n))`",
    limit: 0.9,
  },
  {
    title: "`open` of the model and `get` of one tensor",
    job: "openOne:model",
    peer: "records:model.pdiparams",
    against: "`numpy.fromfile` of each record",
    limit: 1 / 100,
  },
  {
    title: "the same",
    job: "openOne:model",
    peer: "buffers:model.pdiparams",
    against: "`numpy.frombuffer(file.read(n))`",
    limit: 1 / 100,
  },
  {
    title: "`deserializeProgram`, 50 MB: checked whole, operators made when they are looked at",
    job: "program",
    peer: "protobuf:program.pdmodel",
    against: "Google's protobuf (upb)",
    limit: 1,
  },
];

/** A row of times whose peer is a call of the same runtime: the ratio of `job` to `base`. */
export interface CallRow {
  title: string;
  job: string;
  base: string;
  against: string;
  limit: number;
}

export const CALL_ROWS: readonly CallRow[] = [
  {
    title: "`deserializeProgram`, 400 kB of PIR's JSON, median of 20 in one process",
    job: "json",
    base: "parse",
    against: "`JSON.parse` of the decoded bytes, same runtime",
    limit: 3,
  },
  {
    title: "the same, the first of a process",
    job: "json:first",
    base: "parse:first",
    against: "the first `JSON.parse` of a process",
    limit: 3,
  },
];

/** A row of streams: ours compared with reading the stream in the same runtime and dropping, or keeping, its chunks. */
export interface StreamRow {
  title: string;
  /** Where the stream comes from; the jobs are `stream:`, `drop:` and `keep:` followed by this. */
  from: string;
}

/** Minimum speed of a load from a stream, relative to reading the stream and dropping its chunks. */
export const STREAM_LIMIT = 0.7;

export const STREAM_ROWS: readonly StreamRow[] = [
  { title: "`load` of a stream from a file, 1 GiB, protocol 4", from: "file:large4.pdparams" },
  { title: "`load` of a stream over local HTTP, 1 GiB, protocol 4", from: "http:large4.pdparams" },
];

/** MiB that a job may take in addition to its array data. */
export const MEMORY_LIMIT = 32;

export const MEMORY_ROWS: readonly MemoryRow[] = [
  { title: "peak of `load`, 1 GiB, protocol 4, less the payload", job: "load:large4.pdparams" },
  { title: "peak of `load`, 256 MiB, protocol 2, less the payload", job: "load:large2.pdparams" },
  { title: "peak of `save`, 1 GiB, protocol 4, less the value", job: "save:4" },
  { title: "peak of `save`, 256 MiB, protocol 2, less the value", job: "save:2" },
];

/** Whether `--only=TEXT` means a row: by its job, or by its title with or without the backticks. */
export function isMeant({ title, job }: { title: string; job: string }, only: string): boolean {
  return [job, title, title.replaceAll("`", "")].some((text) => text.includes(only));
}
