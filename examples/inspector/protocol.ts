/** What the page and its worker say to each other. */

/** A file, by the name that it has among those it came with. */
export type NamedFile = readonly [name: string, file: File];

/** Something that can be shown: a file, or the files of one model. */
export interface DocumentEntry {
  id: number;
  label: string;
}

/** What is known of one array before a number is read. */
export interface ArrayRow {
  name: string;
  dtype: string;
  shape: readonly number[];
  nbytes: number;
  size: number;
}

/** What is known of a program. */
export interface ProgramSummary {
  form: string;
  version: number | null;
  operators: number;
  feeds: string[];
  fetches: string[];
}

/** A document as it is shown. */
export interface DocumentView {
  id: number;
  label: string;
  arrays: ArrayRow[];
  /** What is neither array nor program: name and text. */
  others: [name: string, text: string][];
  program: ProgramSummary | null;
  canRecover: boolean;
  notes: string[];
}

/** What the numbers of an array are like. */
export interface ArrayStatistics {
  count: number;
  min: number;
  max: number;
  mean: number;
  std: number;
  zeros: number;
  nan: number;
  infinite: number;
  /** Numbers in each of the equal parts of [min, max]. */
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

/** Forms that a document can be saved in. */
export type SaveForm = "pdparams" | "safetensors" | "npz";

/** A saved file; without a handle its bytes come as a blob, for a download. */
export interface Saved {
  bytes: number;
  blob: Blob | null;
}

/** What the worker does, by name. */
export interface Methods {
  openFiles(files: NamedFile[]): DocumentEntry[];
  openUrl(url: string): DocumentEntry[];
  show(id: number): DocumentView;
  statistics(id: number, name: string): ArrayStatistics;
  cells(id: number, name: string, first: number, last: number): { texts: string[]; edited: boolean[] };
  edit(id: number, name: string, index: number, text: string): { text: string; edits: number };
  operators(id: number, first: number, last: number): OperatorRow[];
  operator(id: number, index: number): OperatorView;
  recover(id: number): DocumentEntry;
  save(id: number, form: SaveForm, handle: FileSystemFileHandle | null): Saved;
  /** Close the documents before that one. */
  closeBefore(id: number): void;
  /** Close that one and those behind it. */
  closeFrom(id: number): void;
}

/** What went wrong, as the page shows it. */
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
