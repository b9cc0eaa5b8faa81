/**
 * `detect`: the kind of a file, by its first bytes.
 *
 * @module
 */
import { detect as detectFile } from "../../detect.ts";
import { command } from "../command.ts";
import { DONE, NO } from "../failure.ts";
import { FROM_FILE, reading } from "../reading.ts";

/** The command. */
export const detect = command({
  name: "detect",
  summary: "what kind a file is, judged by its first bytes",
  operands: ["FILE"],
  options: { archive: FROM_FILE.archive },
  notes: [
    "empty, pickle, tnum (1.6's save_dygraph), record (one tensor), selected_rows, program, pir, shards (an index of several",
    "files), safetensors, npy, zip or unknown. The exit code is 1 when the kind is unknown.",
  ],
  json: "{ file, kind }",
  async run({ operands: [from], options, session }) {
    return await reading(options, session, async ({ folder, signal }) => {
      const kind = await detectFile(from, { folder, signal });
      if (session.json) await session.printJson({ file: from, kind });
      else await session.print(kind);
      return kind === "unknown" ? NO : DONE;
    });
  },
});
