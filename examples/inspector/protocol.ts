/** The messages between the page and its worker. */

/** A file, with its path relative to the files it came with. */
export type NamedFile = readonly [name: string, file: File];

/** Something that can be shown: a file, or the files of one model. */
export interface DocumentEntry {
  id: number;
  label: string;
}

/** What is known about an array before its contents are read. */
export interface ArrayRow {
  name: string;
  dtype: string;
  shape: readonly number[];
  nbytes: number;
  size: number;
}

/** A summary of a program. */
export interface ProgramSummary {
  form: string;
  version: number | null;
  /** The type of each operator. */
  types: string[];
  feeds: string[];
  fetches: string[];
}

/** A document as it is shown. */
export interface DocumentView {
  id: number;
  label: string;
  arrays: ArrayRow[];
  /** Values that are neither arrays nor programs: name and text. */
  others: [name: string, text: string][];
  program: ProgramSummary | null;
  canRecover: boolean;
  /** Number of changed elements that are not saved. */
  edits: number;
  notes: string[];
}

/** Statistics of an array's elements. */
export interface ArrayStatistics {
  count: number;
  /** The extremes of 64-bit integers, which `min` and `max` round. */
  exact: [min: bigint, max: bigint] | null;
  min: number;
  max: number;
  mean: number;
  std: number;
  zeros: number;
  nan: number;
  infinite: number;
  /** The number of elements in each of the equal parts of [min, max]. */
  bins: number[];
}

/** One operator. */
export interface OperatorRow {
  type: string;
  inputs: string;
  outputs: string;
}

/** One operator with its attributes. */
export interface OperatorView extends OperatorRow {
  attributes: [name: string, value: string][];
}

/** Formats in which a document can be saved. */
export type SaveForm = "pdparams" | "safetensors" | "npz";

/** A saved file; without a handle its contents are returned as a blob, for a download. */
export interface Saved {
  bytes: number;
  /** What is not in it as it was. */
  warnings: string[];
  blob: Blob | null;
}

/** The worker's methods. */
export interface Methods {
  openFiles(files: NamedFile[]): DocumentEntry[];
  openUrl(url: string): DocumentEntry[];
  show(id: number): DocumentView;
  statistics(id: number, name: string): ArrayStatistics;
  cells(id: number, name: string, first: number, last: number): { texts: string[]; edited: boolean[] };
  edit(id: number, name: string, index: number, text: string): { text: string; edited: boolean; edits: number };
  /** Undo all edits. */
  undo(id: number): void;
  operators(id: number, first: number, last: number): OperatorRow[];
  operator(id: number, index: number): OperatorView;
  recover(id: number): DocumentEntry;
  save(id: number, form: SaveForm, handle: FileSystemFileHandle | null): Saved;
  /** Have a document of one dropped file read `file` from now on, which has taken its place; false if it is no such document. */
  replace(id: number, file: File): boolean;
  /** Close all documents before this one. */
  closeBefore(id: number): void;
  /** Close this document and all after it. */
  closeFrom(id: number): void;
}

/** An error, as the page shows it. */
export interface Failure {
  name: string;
  code: string;
  message: string;
  place: string;
  hint: string;
}

/** To the worker. */
export type Request = { id: number; method: keyof Methods; args: unknown[] } | { id: number; cancel: true };

/** From the worker. */
export type Reply =
  | { id: number; result: unknown }
  | { id: number; failure: Failure }
  | { id: number; done: number };
