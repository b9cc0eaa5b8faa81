/**
 * Where a command's answers go: results to the standard output, everything else to the other one.
 *
 * @module
 */
import { visible, type Warning } from "../errors.ts";
import type { ProgressEvent } from "../io/progress.ts";
import type { Console } from "../io/process_console.ts";
import { jsonText } from "./json_text.ts";
import { sizeText } from "./text.ts";

/** Milliseconds before a progress is worth a line. */
const PATIENCE = 400;
/** Characters that are written at a time. */
const GATHER = 65_536;

/** One run of one command. */
export class Session {
  /** Stops it. */
  readonly signal: AbortSignal;
  /** Whether the answer is wanted as JSON. */
  readonly json: boolean;
  readonly #console: Console;
  readonly #quiet: boolean;
  readonly #begun = performance.now();
  #hasLine = false;

  constructor(console: Console, { json = false, quiet = false }: { json?: boolean; quiet?: boolean } = {}) {
    this.#console = console;
    this.signal = console.signal;
    this.json = json;
    this.#quiet = quiet;
  }

  /** Lines of the answer. What comes out of a file has nothing in it that a terminal would obey. */
  async print(...lines: string[]): Promise<void> {
    this.#clear();
    let text = "";
    for (const line of lines) {
      text += visible(line).toWellFormed() + "\n";
      if (text.length < GATHER) continue;
      await this.#console.write(text);
      text = "";
    }
    if (text !== "") await this.#console.write(text);
  }

  /** The answer, as JSON. */
  async printJson(value: unknown): Promise<void> {
    this.#clear();
    await this.#console.write(jsonText(value) + "\n");
  }

  /** Something that a person should know. */
  async note(line: string): Promise<void> {
    if (this.#quiet) return;
    this.#clear();
    await this.#console.error(visible(line).toWellFormed() + "\n");
  }

  /** Why it could not be done. */
  async fail(line: string): Promise<void> {
    this.#clear();
    await this.#console.error(visible(line).toWellFormed() + "\n");
  }

  /** What the library says of oddities. */
  readonly onWarning = ({ code, message }: Warning): void => {
    void this.note(`warning: ${message} (${code})`);
  };

  /** How far it is: a line that is written over, for a person who waits. */
  readonly onProgress = ({ phase, loaded, total }: ProgressEvent): void => {
    if (this.#quiet || !this.#console.isTerminal || performance.now() - this.#begun < PATIENCE) return;
    const part = total ? `${Math.floor(100 * loaded / total)}% of ${sizeText(total)}` : sizeText(loaded);
    this.#hasLine = true;
    void this.#console.error(`\r\x1b[K${phase} ${part}`);
  };

  /** What every verb of the library takes. */
  get hooks(): { signal: AbortSignal; onWarning: Session["onWarning"]; onProgress: Session["onProgress"] } {
    const { signal, onWarning, onProgress } = this;
    return { signal, onWarning, onProgress };
  }

  #clear(): void {
    if (!this.#hasLine) return;
    this.#hasLine = false;
    void this.#console.error("\r\x1b[K");
  }
}
