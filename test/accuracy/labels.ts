import { type Dataset, pixels } from '../../gateway/worker/training/dataset.ts';

const atOnce = 8;

/** The label a gateway's model gives to each image of a dataset: one request an image, some at a time. Throws for an answer that is none. */
export async function labelsThroughGateway(url: string, model: string, dataset: Dataset): Promise<Uint8Array> {
  const labels = new Uint8Array(dataset.count);
  let next = 0;
  const sendRest = async (): Promise<void> => {
    for (let at = next++; at < dataset.count; at = next++) {
      const image = dataset.images.subarray(at * pixels, (at + 1) * pixels);
      labels[at] = await labelOf(url, model, image, `image-${at}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendRest));
  return labels;
}

async function labelOf(url: string, model: string, image: Float32Array, id: string): Promise<number> {
  const response = await fetch(`${url}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      id,
      inputs: [{ name: 'image', shape: [1, pixels], datatype: 'FP32', data: [...image] }],
      outputs: [{ name: 'label' }],
    }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${id}: status ${response.status}: ${text}`);
  const answer = JSON.parse(text) as { id: string; outputs: { data: number[] }[] };
  const label = answer.outputs[0]?.data[0];
  if (answer.id !== id || label === undefined) throw new Error(`${id}: wanted its label, got ${text}`);
  return label;
}
