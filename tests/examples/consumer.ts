/** What programs that use the package may write, and what its types reject. This file is type-checked, but never run. */
import * as paddle from "@oarlock/paddle";
import * as npy from "@oarlock/paddle/npy";
import * as safetensors from "@oarlock/paddle/safetensors";

export async function reads(): Promise<void> {
  const state = await paddle.load("model.pdparams") as paddle.StateDict;
  await paddle.save(state, "copy.pdparams", { protocol: 2 });
  await using file = await paddle.open("model.pdparams");
  for await (const [name, array] of file) console.log(name.length, array.shape.length, array.data.length);
  const rows: paddle.NDArray = await file.getSlice("w", [0, 2] as const);
  await using archive = await paddle.openArchive("model.tar");
  await using model = await paddle.recoverStateDict("model", { folder: archive, lazy: true });
  console.log(rows.at(0), model.report.notes.length);
  await npy.saveNpz(await safetensors.load("model.safetensors"), "model.npz");
}

export async function handsBytesToTheWeb(array: paddle.NDArray, file: paddle.Checkpoint): Promise<unknown[]> {
  const packed = new CompressionStream("gzip");
  await paddle.save(array, packed.writable);
  return [
    new Response(array.bytes),
    new Blob([array.data, array.toFloat32Array(), paddle.encode(array), npy.encode(array), ...npy.encodeChunks(array)]),
    await crypto.subtle.digest("SHA-256", array.bytes),
    new Response(await npy.encodeNpz(new Map([["w", array]]))),
    new Response(safetensors.encode(new Map([["w", array]]))),
    new Response(await paddle.static.loadFromFile("model.pdmodel")),
    new Response(file.stream("w").pipeThrough(new CompressionStream("gzip"))),
  ];
}

/** Memory that threads may share: what comes in is not narrowed. */
export function takesAnyMemory(bytes: Uint8Array, numbers: Float32Array): paddle.NDArray[] {
  return [new paddle.NDArray("uint8", [bytes.length], bytes), paddle.NDArray.fromArray(numbers)];
}

export function goesThroughLayers(): void {
  for (const layer of new paddle.nn.Sequential(new paddle.nn.Linear(1, 1))) layer.stateDict();
  for (const layer of new paddle.nn.LayerList()) layer.stateDict();
  for (const [name, layer] of new paddle.nn.LayerDict()) layer.stateDict().get(name.trim());
  for (const parameter of new paddle.nn.ParameterList()) console.log(parameter.name.trim());
  for (const [name, parameter] of new paddle.nn.ParameterDict()) console.log(name.trim(), parameter.name.trim());
}

/** What a caller may leave out is passed on as it is, also where optional properties are exact. */
export async function passesOn(
  options: { signal?: AbortSignal; folder?: paddle.Folder; prefix?: string; limits?: Partial<paddle.Limits> },
): Promise<paddle.Source> {
  const { signal, folder, prefix, limits } = options;
  await paddle.save(await paddle.load("model", { signal, folder, limits }), "copy.pdparams", { signal, folder });
  await paddle.static.loadInferenceModel("model", { signal, folder });
  const bucket = new paddle.S3Folder("https://example.org/bucket", { prefix, fetch: undefined });
  const source = await bucket.get("model", { signal });
  return { size: 0, name: source?.name, version: source?.version, read: () => Promise.resolve(0) };
}

export async function isStopped(given: unknown): Promise<void> {
  // @ts-expect-error a promise is not a source
  await paddle.load(Promise.resolve("model.pdparams"));
  // @ts-expect-error a number is not a sink
  await paddle.save(new Map(), 3);
  // @ts-expect-error not every value is a source
  await paddle.open(given);
  // @ts-expect-error there is no such option
  await paddle.load("model.pdparams", { returnNumppy: true });
  // @ts-expect-error headers are not a number
  await paddle.load("https://example.org/model.pdparams", { http: { headers: 3 } });
  // @ts-expect-error the elements are not a string
  const text: string = paddle.zeros([2]).data;
  console.log(text);
}
