/**
 * The table of commands.
 *
 * @module
 */
import { audit } from "./audit.ts";
import type { Command } from "./command.ts";
import { convert } from "./convert.ts";
import { decrypt } from "./decrypt.ts";
import { detect } from "./detect.ts";
import { diff } from "./diff.ts";
import { extract } from "./extract.ts";
import { ls } from "./ls.ts";
import { program } from "./program.ts";
import { recover } from "./recover.ts";
import { relayout } from "./relayout.ts";
import { rename } from "./rename.ts";
import { set } from "./set.ts";
import { show } from "./show.ts";
import { verify } from "./verify.ts";

/** Every command, in the order of the help. */
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
