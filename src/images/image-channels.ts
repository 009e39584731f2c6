import { Problem } from '../platform/errors/problem.js';

export const IMAGE_CHANNELS = ['draft', 'current', 'deprecated', 'withdrawn'] as const;
export type ImageChannel = (typeof IMAGE_CHANNELS)[number];

/** Where a version may go from where it is. A withdrawn one is never used again; what was current before may be again. */
export const NEXT_IMAGE_CHANNELS = {
  draft: ['current', 'withdrawn'],
  current: ['deprecated', 'withdrawn'],
  deprecated: ['current', 'withdrawn'],
  withdrawn: [],
} as const satisfies Record<ImageChannel, readonly ImageChannel[]>;

/** @throws Problem `conflict` that names both channels */
export function refuseUnlessMoves(from: ImageChannel, to: ImageChannel): void {
  if ((NEXT_IMAGE_CHANNELS[from] as readonly ImageChannel[]).includes(to)) return;
  throw new Problem('conflict', `An image version that is ${from} can’t become ${to}.`);
}
