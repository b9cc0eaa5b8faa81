/**
 * The browser's file and directory handles. They have types of our own because the `lib` of most programs, and Deno's, does not have them:
 * a parameter of an unknown type would accept anything.
 *
 * @module
 */

/** A `FileSystemFileHandle`. */
export interface FileHandle {
  /** The file's name, without its directory. */
  readonly name: string;
  /** The file as it is now. */
  getFile(): Promise<File>;
  /** A stream whose bytes become the file's content when it is closed. */
  createWritable(options?: { keepExistingData?: boolean; mode?: "exclusive" | "siloed" }): Promise<WritableFile>;
}

/** A `FileSystemWritableFileStream`. */
export interface WritableFile extends WritableStream {
  /** Write at a byte offset. */
  write(piece: { type: "write"; position: number; data: Uint8Array<ArrayBuffer> }): Promise<void>;
  /** Make the written bytes final. */
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
  /** Remove the entry of this name. */
  removeEntry(name: string): Promise<void>;
}
