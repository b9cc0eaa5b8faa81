/** Models that Paddle trained and exported are recovered, converted to other layouts, pruned and renamed here, and loaded and run there. */
import { join } from "node:path";
import { jit, recoverStateDict, save, static as paddleStatic } from "../../mod.ts";
import type { Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

const { loadInferenceModel, relayout, saveInferenceModel } = paddleStatic;

export async function models(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const folder = paddle.makeFolder("models");
  const made = paddle.ask("models.py", folder, "make", String(seed)).files;
  const is1x = made.layer === undefined;
  const at = (name: string) => join(folder, name);

  const model = await loadInferenceModel(at(is1x ? "folder" : "program"));
  const layout = is1x ? "folder" : "prefix";
  await relayout(model, at("again"), { layout });
  const [feeds, [first]] = [model.feedTargetNames, model.fetchTargets];
  if (is1x) {
    const pruned = await loadInferenceModel(at("folder"));
    pruned.prune(first);
    await relayout(pruned, at("first"), { layout });
  } else {
    await saveInferenceModel(at("first"), feeds, [first], { program: model.program, parameters: model.parameters });
    for (const name of [...model.parameters.keys()]) model.rename(name, `renamed/${name}`);
    await relayout(model, at("renamed"));
    const { stateDict } = await recoverStateDict(at("net"));
    await save(stateDict, at("recovered.pdparams"), { protocol: 2 });
    await jit.save(await jit.load(at("net")), at("saved"));
    await relayout(at("net"), at("relaid"));
  }

  const heard = paddle.ask("models.py", folder, "check", String(seed)).files;
  const { outputs } = made.program;
  report.compareAnswers(`${paddle.name} a model written again`, heard.program.again, outputs);
  report.compareAnswers(`${paddle.name} a model pruned to its first output`, heard.program.first, outputs.slice(0, 1));
  if (is1x) return "a model of 1.x written again and pruned, run by it";
  report.compareAnswers(`${paddle.name} a model with renamed parameters`, heard.program.renamed, outputs);
  for (const [way, output] of Object.entries(heard.layer)) {
    report.compareAnswers(`${paddle.name} a trained network through ${way}`, output, made.layer.output);
  }
  return `a trained network recovered, ${2 + Object.keys(heard.layer).length} models of ours run by it`;
}
