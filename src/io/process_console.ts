/**
 * The process as a command-line program sees it: arguments, outputs, signals.
 *
 * @module
 */
import { UnsupportedError } from "../errors.ts";
import { messageOf } from "./message_of.ts";
import { realPath, systemCode } from "./platform.ts";

/** The environment of a command-line program. */
export interface Console {
  /** The arguments, without the program's name. */
  readonly args: readonly string[];
  /** Write text to standard output; settles once it is written. */
  write(text: string): Promise<void>;
  /** Write text to standard error. */
  error(text: string): Promise<void>;
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean;
  /** Aborts when the program should stop; after an interrupt the reason is an {@linkcode Interrupt}. */
  readonly signal: AbortSignal;
}

/** Standard output was closed by its reader, as with `| head`; not worth an error message. */
export class OutputClosed extends Error {
  override name = "OutputClosed";
}

/** The user or the system asked the program to stop. */
export class Interrupt extends Error {
  override name = "Interrupt";
  /** The exit code that a shell reports for a program killed by that signal. */
  readonly exitCode: number;

  /** For the signal of this number. */
  constructor(number: number) {
    super("Interrupted");
    this.exitCode = 128 + number;
  }
}

interface Output {
  isTTY?: boolean;
  write(text: string, done: (error?: Error | null) => void): boolean;
  on(event: "error", listener: () => void): void;
  off(event: "error", listener: () => void): void;
}

interface Process {
  argv: string[];
  stdout: Output;
  stderr: Output;
  on(event: string, listener: () => void): void;
  off(event: string, listener: () => void): void;
  exit(code: number): never;
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15 };

/** Whether a module is the program that was started; `isMain` is its `import.meta.main`, which older versions of Node lack. */
export function isProgram(isMain: boolean | undefined, url: string): boolean {
  if (isMain !== undefined) return isMain;
  const started = (globalThis as { process?: Partial<Process> }).process?.argv?.[1];
  return started !== undefined && realPath(started) === realPath(new URL(url));
}

/** Run a program in this process, then exit with the code it returns. */
export async function runProgram(program: (console: Console) => Promise<number>): Promise<never> {
  const code = await withProcess(null, program);
  return process().exit(code);
}

/**
 * Run a program with the outputs and signals of this process, which goes on afterwards; `args` null means the arguments of the process.
 *
 * @throws {UnsupportedError} `UNSUPPORTED_RUNTIME`: there is no process
 */
export async function withProcess(
  args: readonly string[] | null,
  program: (console: Console) => Promise<number>,
): Promise<number> {
  const { argv, stdout, stderr } = process();
  const controller = new AbortController();
  const listeners = Object.entries(SIGNALS).map(([name, number]) => {
    // A second signal means that the user does not want to wait.
    const listener = () => {
      if (controller.signal.aborted) process().exit(128 + number);
      controller.abort(new Interrupt(number));
    };
    process().on(name, listener);
    return () => process().off(name, listener);
  });
  // Errors of a closed output are reported to its writer instead.
  for (const output of [stdout, stderr]) {
    output.on("error", ignore);
    listeners.push(() => output.off("error", ignore));
  }
  try {
    return await program({
      args: args ?? argv.slice(2),
      write: (text) => written(stdout, text),
      error: (text) => written(stderr, text).catch(() => {}),
      isTerminal: stderr.isTTY === true,
      signal: controller.signal,
    });
  } finally {
    for (const remove of listeners) remove();
  }
}

function process(): Process {
  const { process } = globalThis as unknown as { process?: Process };
  if (!process?.stdout) {
    throw new UnsupportedError("UNSUPPORTED_RUNTIME", "There is no process here: pass main a Console of your own");
  }
  return process;
}

function ignore(): void {}

async function written(output: Output, text: string): Promise<void> {
  try {
    await new Promise<void>((done, fail) => void output.write(text, (error) => error ? fail(error) : done()));
  } catch (error) {
    if (isClosed(error as Error)) throw new OutputClosed();
    // The command has done its work by now: the message must not read as if a file could not be written.
    throw new Error(`The answer cannot be written: ${messageOf(error)}`);
  }
}

function isClosed(error: Error): boolean {
  const code = systemCode(error);
  return code === "EPIPE" || code === "ERR_STREAM_DESTROYED" || error.name === "BrokenPipe";
}
