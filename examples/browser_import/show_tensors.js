// The whole program: nothing to build, nothing to install. It loads scripts from here and from esm.sh, and can send nothing anywhere.
import { FileListFolder, isPaddleError, open } from "https://esm.sh/jsr/@oarlock/paddle@0.1.0";

const chooser = document.querySelector("input");
const status = document.querySelector("#status");
const table = document.querySelector("table");
const [body] = table.tBodies;

/** How often files were chosen: what was chosen later is shown. */
let choices = 0;

/** Show the tensors of one file, or of a model in several. */
async function show(files) {
  if (files.length === 0) return;
  const choice = ++choices;
  status.textContent = "Reading…";
  table.hidden = true;
  let rows = [], said;
  try {
    rows = await rowsOf([...files]);
    said = `${rows.length} tensors`;
  } catch (error) {
    said = isPaddleError(error) ? `${error.code}: ${error.message}` : String(error);
  }
  if (choice !== choices) return;
  body.replaceChildren(...rows);
  table.hidden = rows.length === 0;
  status.textContent = said;
}

async function rowsOf(files) {
  const checkpoint = await openFiles(files);
  try {
    const rows = [];
    for (const name of checkpoint.names()) {
      const { dtype, shape, nbytes } = checkpoint.info(name);
      rows.push(row([name, dtype, shape.join(" × ") || "scalar", nbytes, await firstNumbers(checkpoint, name)]));
    }
    return rows;
  } finally {
    await checkpoint.close();
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
  if (shape.length === 0) return String((await checkpoint.get(name)).toArray());
  const array = await checkpoint.getSlice(name, [0, shape.length > 1 ? 1 : 3]);
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
