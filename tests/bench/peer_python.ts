/** The Python of the peers, found before anything is measured: a run takes minutes, and would end at the first package that lacks. */
import { PYTHON } from "../helpers/python.ts";
import { output } from "./measure.ts";

const ENVIRONMENT = "out/bench_python";
const PACKAGES = ["numpy", "protobuf"];
/** Prints what the table says of the peer; protobuf is the one on upb, as the row's title says. */
const VERSIONS = `
import platform, numpy, google.protobuf
from google.protobuf.internal import api_implementation
assert api_implementation.Type() == "upb", api_implementation.Type()
print(platform.python_version(), "with numpy", numpy.__version__, "and protobuf", google.protobuf.__version__)`;

/** A command that runs Python, and the versions of it and of its packages. */
export interface PeerPython {
  command: string;
  version: string;
}

/** The Python of the tests if it has the packages, otherwise a virtual environment below `out/` that gets them. */
export async function findPeerPython(): Promise<PeerPython> {
  const own = await versions(PYTHON);
  if (own) return own;
  const command = `${ENVIRONMENT}/bin/python`;
  const earlier = await versions(command);
  if (earlier) return earlier;
  console.error(`${PYTHON} lacks one of ${PACKAGES.join(", ")}: installing them into ${ENVIRONMENT}`);
  await output([PYTHON, "-m", "venv", ENVIRONMENT]);
  await output([command, "-m", "pip", "install", "-q", "--disable-pip-version-check", ...PACKAGES]);
  const installed = await versions(command);
  if (!installed) throw new Error(`${command} cannot import ${PACKAGES.join(", ")}: the benchmark compares with them`);
  return installed;
}

async function versions(command: string): Promise<PeerPython | null> {
  const version = await output([command, "-c", VERSIONS]).catch(() => null);
  return version === null ? null : { command, version: version.trim() };
}
