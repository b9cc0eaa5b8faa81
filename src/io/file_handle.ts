/**
 * The handles that browsers give to files and directories. They have types of our own because `lib` of most programs, Deno's among them,
 * knows none: a parameter of an unknown type takes anything.
 *
 * @module
 */

/** A `FileSystemFileHandle`. */
export interface FileHandle {
  /** The file's name, without its directory. */
  readonly name: string;
  /** The file as it is now. */
  getFile(): Promise<File>;
  /** A stream whose bytes become the file when it is closed. */
  createWritable(options?: { keepExistingData?: boolean; mode?: "exclusive" | "siloed" }): Promise<WritableFile>;
}

/** A `FileSystemWritableFileStream`. */
export interface WritableFile extends WritableStream {
  /** Write at a place. */
  write(piece: { type: "write"; position: number; data: Uint8Array<ArrayBuffer> }): Promise<void>;
  /** The bytes are there. */
  close(): Promise<void>;
}

/** A `FileSystemDirectoryHandle`. */
export interface DirectoryHandle {
  /** The directory's name. */
  readonly name: string;
  /** A file in it. */
  getFileHandle(name: string, options?: { create?: boolean }): Promise<FileHandle>;
  /** A directory in it. */
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<DirectoryHandle>;
  /** Remove what has this name. */
  removeEntry(name: string): Promise<void>;
}
