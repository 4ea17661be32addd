import { InkseekClientError } from "@inkseek/client";
import { Shop } from "@/components/shop";
import { inkseek } from "@/lib/inkseek";

export const dynamic = "force-dynamic"; // the categories are those of the gallery as it is

export default async function Page() {
  return <Shop categories={await categories()} />;
}

/** None where the service is away: the shop opens all the same, and says so at the first stroke. */
async function categories(): Promise<string[]> {
  try {
    return (await inkseek.categories()).categories.map(({ category }) => category).filter(Boolean);
  } catch (error) {
    if (!(error instanceof InkseekClientError)) throw error;
    console.warn("inkseek:", error.message);
    return [];
  }
}
