import type { ReactNode } from 'react';
import type { paths } from '../api/schema.js';
import { text } from '../text/text.js';

interface Props {
  path: Extract<keyof paths, `/v1/${string}.csv`>;
  /** As the list beside it has them. */
  filters: Readonly<Record<string, string | undefined>>;
}

/** The whole list as a file, which the browser writes as it comes: it may be long. */
export function DownloadCsv({ path, filters }: Props): ReactNode {
  const query = new URLSearchParams(
    Object.entries(filters).filter((filter): filter is [string, string] => filter[1] !== undefined),
  );
  return (
    <a className="act-link beside-inputs" href={query.size === 0 ? path : `${path}?${query}`} download>
      {text.downloadCsv}
    </a>
  );
}
