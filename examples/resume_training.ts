/**
 * The example from Paddle's FAQ on saving and loading, line by line: train a little, save, load, and continue as if never interrupted.
 *
 * Run: deno run -A examples/resume_training.ts [folder]
 */
import * as paddle from "../mod.ts";

/** Saves two files in `folder`; returns the parameter's values after the last step. */
export async function main(folder = "."): Promise<Float32Array> {
  const emb = new paddle.nn.Embedding(10, 10);
  const scheduler = new paddle.optimizer.lr.NoamDecay({ dModel: 0.01, warmupSteps: 100, verbose: true });
  const adam = new paddle.optimizer.Adam({ learningRate: scheduler, parameters: emb.parameters() });
  train(emb, scheduler, adam);

  const layerStateDict = emb.stateDict();
  await paddle.save(layerStateDict, `${folder}/emb.pdparams`);
  const optStateDict = adam.stateDict();
  await paddle.save(optStateDict, `${folder}/adam.pdopt`);

  const loadLayerStateDict = await paddle.load<paddle.StateDict>(`${folder}/emb.pdparams`);
  const loadOptStateDict = await paddle.load<paddle.StateDict>(`${folder}/adam.pdopt`);
  emb.setStateDict(loadLayerStateDict);
  adam.setStateDict(loadOptStateDict);

  train(emb, scheduler, adam);
  return emb.weight.toFloat32Array();
}

/** One step. The gradient comes from wherever the network runs; here it is all ones. */
function train(
  emb: paddle.nn.Embedding,
  scheduler: paddle.optimizer.lr.LRScheduler,
  adam: paddle.optimizer.Adam,
): void {
  emb.weight.grad = paddle.full(emb.weight.shape, 1);
  adam.step();
  scheduler.step();
  adam.clearGrad();
}

// In a bundle that includes this file, import.meta.main belongs to another program.
if (import.meta.main && import.meta.url.endsWith("/resume_training.ts")) {
  const numbers = await main(Deno.args[0]);
  console.log(`The first numbers after two steps: ${numbers.subarray(0, 3).join(", ")}`);
}
