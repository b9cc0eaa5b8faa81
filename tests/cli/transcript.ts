/** A recorded session of the command line: commands, each with all that it prints. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { oarlock } from "./run_command.ts";

/** Where the session is kept. */
export const TRANSCRIPT = "tests/cli/transcript.txt";

/** Short names in the session of folders with files, and of the folder that commands write to. */
const FOLDERS: Record<string, string> = {
  REAL: "tests/fixtures/real",
  FIXTURES: "tests/fixtures",
};

/** A command and what it printed: its output, lines with `2> ` for errors, and the exit code unless it is 0. */
export interface Said {
  command: string;
  text: string;
}

/** The recorded session. */
export function recorded(): Said[] {
  const blocks = readFileSync(TRANSCRIPT, "utf8").replaceAll("\r\n", "\n").split(/^\$ /m).slice(1);
  return blocks.map((block) => {
    const end = block.indexOf("\n");
    return { command: block.slice(0, end), text: block.slice(end + 1) };
  });
}

/** Runs commands one after the other, in a folder of their own; they see what those before them wrote. */
export async function played(commands: readonly string[]): Promise<Said[]> {
  const out = mkdtempSync(join(tmpdir(), "oarlock-"));
  const said: Said[] = [];
  const hide = (text: string) => text.replaceAll(out, "OUT");
  try {
    for (const command of commands) {
      const words = [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      const args = words.map((word) =>
        word.replace(/^OUT\b/, out).replace(/^(REAL|FIXTURES)(?=\/)/, (name) => FOLDERS[name])
      );
      const ran = await oarlock(args);
      const lines = hide(ran.err).trimEnd();
      said.push({
        command,
        text: hide(ran.out) + (lines ? lines.replace(/^/gm, "2> ") + "\n" : "") +
          (ran.code ? `exit ${ran.code}\n` : ""),
      });
    }
  } finally {
    rmSync(out, { recursive: true });
  }
  return said;
}
