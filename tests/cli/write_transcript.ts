/** Records the commands in transcript.txt anew: `deno run -A tests/cli/write_transcript.ts`. Read what changed before you keep it. */
import { writeFileSync } from "node:fs";
import { played, recorded, TRANSCRIPT } from "./transcript.ts";

const said = await played(recorded().map(({ command }) => command));
writeFileSync(TRANSCRIPT, said.map(({ command, text }) => `$ ${command}\n${text}`).join(""));
