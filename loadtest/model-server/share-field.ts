import { z } from 'zod';

/** A share of a whole: above 0 and up to 1, written in per cent. */
export const shareField = () =>
  z
    .string({ error: 'a share such as 20%' })
    .regex(/^\d+(\.\d+)?%$/, { error: 'a share such as 20%' })
    .transform((text) => Number(text.slice(0, -1)) / 100)
    .refine((share) => share > 0 && share <= 1, { error: 'a share above 0% and up to 100%' });

/** A number within bounds that has no unit. */
export function numberField(minimum: number, wanted: string) {
  return z.number({ error: wanted }).min(minimum, { error: wanted });
}
