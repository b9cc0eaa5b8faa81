/**
 * The table of commands.
 *
 * @module
 */
import { audit } from "./commands/audit.ts";
import type { Command } from "./command.ts";
import { convert } from "./commands/convert.ts";
import { decrypt } from "./commands/decrypt.ts";
import { detect } from "./commands/detect.ts";
import { diff } from "./commands/diff.ts";
import { extract } from "./commands/extract.ts";
import { ls } from "./commands/ls.ts";
import { program } from "./commands/program.ts";
import { recover } from "./commands/recover.ts";
import { relayout } from "./commands/relayout.ts";
import { rename } from "./commands/rename.ts";
import { set } from "./commands/set.ts";
import { show } from "./commands/show.ts";
import { verify } from "./commands/verify.ts";

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  ls,
  show,
  program,
  convert,
  recover,
  relayout,
  set,
  rename,
  extract,
  diff,
  audit,
  detect,
  verify,
  decrypt,
];
