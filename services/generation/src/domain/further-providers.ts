import { z } from 'zod';

const named = { name: z.string().regex(/^[\w.-]{1,40}$/), models: z.array(z.string().min(1)).min(1) };
const provider = z.union([
  z.strictObject({ ...named, backend: z.literal('local') }),
  z.strictObject({
    ...named,
    backend: z.literal('openai').default('openai'),
    base_url: z.url({ protocol: /^https?$/ }),
    api_key: z.string().optional(),
  }),
]);

export type FurtherProvider = z.infer<typeof provider>;

/** Reads the JSON list of further providers; undefined when it is none. */
export function furtherProviders(json: string): FurtherProvider[] | undefined {
  try {
    const { data } = z.array(provider).safeParse(JSON.parse(json));
    const names = new Set(['openai', ...(data ?? []).map(({ name }) => name)]);
    return data && names.size === data.length + 1 ? data : undefined;
  } catch {
    return undefined;
  }
}
