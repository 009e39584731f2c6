import { Problem } from '../platform/errors/problem.js';
import type { ImageVersion } from './image-version.entity.js';
import type { ImageRelease } from './release-statement.js';

type Described = Pick<ImageVersion, 'version' | 'os' | 'architecture' | 'sizeBytes' | 'sha256' | 'manifest'>;

/**
 * What is signed of a version.
 * @param image its name
 * @throws Problem `conflict` that names what it doesn't tell yet
 */
export function releaseOf(described: Described, image: string): ImageRelease {
  const { version, os, architecture, sizeBytes, sha256, manifest } = described;
  if (os !== null && architecture !== null && sizeBytes !== null && sha256 !== null && manifest !== null) {
    return { image, version, os, architecture, sizeBytes, sha256, manifest };
  }
  const missing = Object.entries({ os, architecture, sizeBytes, sha256, manifest }).flatMap(([name, value]) =>
    value === null ? [`\`${name}\``] : [],
  );
  throw new Problem('conflict', `This version doesn’t tell all that is signed: give ${missing.join(', ')} first.`);
}
