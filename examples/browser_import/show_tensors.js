// The whole program: nothing to build, nothing to install. It loads scripts from here and from esm.sh, and can send nothing anywhere.
import { FileListFolder, isPaddleError, open } from "https://esm.sh/jsr/@oarlock/paddle@0.1.0";

const chooser = document.querySelector("input");
const status = document.querySelector("#status");
const table = document.querySelector("table");
const [body] = table.tBodies;

/** Show the tensors of one file, or of a model in several. */
async function show(files) {
  if (files.length === 0) return;
  status.textContent = "Reading…";
  table.hidden = true;
  body.replaceChildren();
  try {
    const checkpoint = await openFiles([...files]);
    const names = checkpoint.names();
    for (const name of names) {
      const { dtype, shape, nbytes } = checkpoint.info(name);
      body.append(row([name, dtype, shape.join(" × ") || "scalar", nbytes, await firstNumbers(checkpoint, name)]));
    }
    await checkpoint.close();
    table.hidden = false;
    status.textContent = `${names.length} tensors`;
  } catch (error) {
    status.textContent = isPaddleError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

/** A model's files have one name with several endings: what stands before is the model's name. */
async function openFiles(files) {
  if (files.length === 1) return await open(files[0]);
  const parameters = files.find(({ name }) => name.endsWith(".pdiparams")) ?? files[0];
  return await open({ folder: new FileListFolder(files), name: parameters.name.replace(/\.pdiparams$/, "") });
}

/** Of a large tensor, the first row alone is read. */
async function firstNumbers(checkpoint, name) {
  const { shape } = checkpoint.info(name);
  const array = shape.length > 0 ? await checkpoint.getSlice(name, [0, 1]) : await checkpoint.get(name);
  return [array.toArray()].flat(Infinity).slice(0, 3).map(String).join(", ");
}

function row(texts) {
  const cells = texts.map((text) => Object.assign(document.createElement("td"), { textContent: text }));
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

chooser.addEventListener("change", () => show(chooser.files));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  show(event.dataTransfer.files);
});
