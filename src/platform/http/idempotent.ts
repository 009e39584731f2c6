import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

/**
 * `required`: the POST needs an Idempotency-Key. `optional`: it may have one, which is what an unmarked POST under /v1
 * does as well. `never-stored`: the answer shows a secret, so it is kept nowhere and a key is refused with 400, rather
 * than promising a replay that couldn't come.
 */
export type Idempotency = 'required' | 'optional' | 'never-stored';

export const IDEMPOTENCY = 'quartermaster:idempotency';

export function Idempotent(idempotency: Idempotency): MethodDecorator {
  return applyDecorators(SetMetadata(IDEMPOTENCY, idempotency), ApiExtension('x-idempotency', idempotency));
}
