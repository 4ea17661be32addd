/** What a TypeScript application writes has the types that it expects; whatever is marked is an error of types. */

import { Client, ServiceProblem, type Hit, type Sketch } from "@inkseek/client";
import { Sender, search } from "@inkseek/client/calls";

const client = new Client("http://127.0.0.1:8000", { key: () => null, retries: { attempts: 1 } });

export async function best(sketch: Sketch): Promise<Hit | undefined> {
  const answer = await client.inGallery("shoes").search(sketch, { k: 5, category: "shoe", mirror: "auto" });
  const name: string | null | undefined = answer.adapter_id;
  return answer.no_good_match ? undefined : answer.results.find((hit) => hit.photo_id !== name);
}

export async function names(files: FileList): Promise<string[]> {
  const found: string[] = [];
  for await (const one of client.searchMany(files)) found.push(one.sketch.name);
  for (const one of await client.searchBatch([[[1, 2], [3, 4]]])) if (!(one instanceof ServiceProblem)) found.push(one.bundle_id);
  for await (const photo of client.iterPhotos({ fields: ["photo_id"] })) found.push(photo.photo_id ?? "");
  return found;
}

export async function wrong(): Promise<void> {
  // @ts-expect-error A parameter that the API does not have.
  await client.search(new Blob(), { knn: 5 });
  // @ts-expect-error A value that the API does not have.
  await client.search(new Blob(), { mirror: "perhaps" });
  // @ts-expect-error A pair has a photo.
  await client.adapt("shoe", [[new Blob()]]);
  const score: number | undefined = (await new Sender().send(search.search(new Uint8Array(3)))).results[0]?.score;
  // @ts-expect-error It is a number.
  const text: string = score ?? 0;
  console.log(text);
}
