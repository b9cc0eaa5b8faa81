/**
 * A command's output: results go to standard output, everything else to standard error.
 *
 * @module
 */
import { visible, type Warning } from "../errors.ts";
import type { ProgressEvent } from "../io/progress.ts";
import { type Console, OutputClosed } from "../io/process_console.ts";
import { jsonText } from "./json_text.ts";
import { sizeText } from "./text.ts";

/** Milliseconds before progress is shown. */
const PATIENCE = 400;
/** Characters written at a time. */
const GATHER = 65_536;

/** One run of one command. */
export class Session {
  /** Aborts the command. */
  readonly signal: AbortSignal;
  /** Whether the answer should be JSON. */
  readonly json: boolean;
  readonly #console: Console;
  readonly #quiet: boolean;
  readonly #begun = performance.now();
  #hasLine = false;
  /** Whether the reader closed standard output, as `| head` does: the command goes on, since its exit code may be an answer, too. */
  #isClosed = false;

  constructor(console: Console, { json = false, quiet = false }: { json?: boolean; quiet?: boolean } = {}) {
    this.#console = console;
    this.signal = console.signal;
    this.json = json;
    this.#quiet = quiet;
  }

  /** Print a few lines of the answer. */
  async print(...lines: string[]): Promise<void> {
    await this.printAll(lines);
  }

  /** Print any number of lines. Control characters from a file are escaped, so that a terminal does not interpret them. */
  async printAll(lines: Iterable<string>): Promise<void> {
    this.#clear();
    let text = "";
    for (const line of lines) {
      text += visible(line).toWellFormed() + "\n";
      if (text.length < GATHER) continue;
      await this.#write(text);
      if (this.#isClosed) return;
      text = "";
    }
    if (text !== "") await this.#write(text);
  }

  /** Print the answer as JSON. */
  async printJson(value: unknown): Promise<void> {
    this.#clear();
    await this.#write(jsonText(value) + "\n");
  }

  /** Print a message for the user. */
  async note(line: string): Promise<void> {
    if (this.#quiet) return;
    this.#clear();
    await this.#error(visible(line).toWellFormed() + "\n");
  }

  /** Report why the command failed. */
  async fail(line: string): Promise<void> {
    this.#clear();
    await this.#error(visible(line).toWellFormed() + "\n");
  }

  /** Prints warnings from the library. */
  readonly onWarning = ({ code, message }: Warning): void => {
    void this.note(`warning: ${message} (${code})`);
  };

  /** Shows progress: a line that is overwritten, for a user who is waiting. */
  readonly onProgress = ({ phase, loaded, total }: ProgressEvent): void => {
    if (this.#quiet || !this.#console.isTerminal || performance.now() - this.#begun < PATIENCE) return;
    const part = total ? `${Math.floor(100 * loaded / total)}% of ${sizeText(total)}` : sizeText(loaded);
    this.#hasLine = true;
    void this.#error(`\r\x1b[K${phase} ${part}`);
  };

  /** Options that every function of the library takes. */
  get hooks(): { signal: AbortSignal; onWarning: Session["onWarning"]; onProgress: Session["onProgress"] } {
    const { signal, onWarning, onProgress } = this;
    return { signal, onWarning, onProgress };
  }

  async #write(text: string): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#console.write(text);
    } catch (error) {
      if (!(error instanceof OutputClosed)) throw error;
      this.#isClosed = true;
    }
  }

  #clear(): void {
    if (!this.#hasLine) return;
    this.#hasLine = false;
    void this.#error("\r\x1b[K");
  }

  /** Write to standard error. If that fails, there is nowhere to report it, and the command goes on. */
  async #error(text: string): Promise<void> {
    try {
      await this.#console.error(text);
    } catch {
      // The exit code tells.
    }
  }
}
