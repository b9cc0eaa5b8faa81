/** The Python that tests compare with. */
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import process from "node:process";

let found = "python3", version = "";
// npx puts the system's python3 first, which often has no numpy.
for (const folder of (process.env.PATH ?? "").split(delimiter)) {
  const python = join(folder, "python3");
  const { status, stdout } = spawnSync(python, ["-c", "import numpy; print(numpy.__version__)"], { encoding: "utf8" });
  if (status !== 0) continue;
  [found, version] = [python, stdout];
  break;
}

/** The first `python3` in the PATH that has numpy. */
export const PYTHON = found;

/** Why tests that need numpy are skipped, or false. */
export const NO_NUMPY: string | false = version ? false : "there is no python3 with numpy here";

/** Why tests that need numpy 2 are skipped, or false. */
export const NO_NUMPY_2: string | false = version.startsWith("2.") ? false : "there is no python3 with numpy 2 here";
