/**
 * `extract`: one array as an `.npy` file.
 *
 * @module
 */
import { command, UsageError } from "../command.ts";
import { DONE } from "../failure.ts";
import { arrayNamed, withFile } from "../open_file.ts";
import { FROM_ARRAYS } from "../reading.ts";
import { checkTarget, formOf, write } from "../target.ts";
import { nameText, shapeText } from "../text.ts";

/** The command. */
export const extract = command({
  name: "extract",
  summary: "write one array to an .npy file, reading nothing else",
  operands: ["FILE", "NAME", "TO"],
  options: { ...FROM_ARRAYS, force: { help: "overwrite what is there" } },
  notes: ["TO is an .npy, a .tensor (Paddle's binary format) or a .safetensors file."],
  json: "{ file, name, dtype, shape, bytes }",
  async run({ operands: [from, name, to], options, session }) {
    const form = formOf(to);
    if (form !== "npy" && form !== "record" && form !== "safetensors") {
      throw new UsageError("extract writes .npy, .tensor or .safetensors: convert --name writes the other formats");
    }
    await checkTarget(to, options, session);
    return await withFile(from, options, session, async (file) => {
      const array = file.arrays.get(arrayNamed(file, name))!;
      const { dtype, shape } = array;
      const bytes = await write({ value: array, arrays: new Map([[name, array]]) }, to, { form }, session);
      if (session.json) await session.printJson({ file: to, name, dtype, shape, bytes });
      else await session.print(`${to}: ${nameText(name)}  ${dtype}  ${shapeText(shape)}`);
      return DONE;
    });
  },
});
