import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { imageVersionQuery } from '../api/device-queries.js';
import { text } from '../text/text.js';

/** A version of an image by its name, which leads to its page. */
export function ImageVersionLink({ id }: { id: string }): ReactNode {
  const { data } = useQuery(imageVersionQuery(id));
  return (
    <Link to="/images/$versionId" params={{ versionId: id }}>
      {data ? text.images.named(data.image, data.version) : text.images.someVersion}
    </Link>
  );
}
