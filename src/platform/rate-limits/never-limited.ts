import { SetMetadata } from '@nestjs/common';

export const NEVER_LIMITED = 'quartermaster:never-limited';

/** A route that ends access in a hurry: no limit ever refuses it, whoever else calls from the same place. */
export function NeverLimited(): MethodDecorator {
  return SetMetadata(NEVER_LIMITED, true);
}
