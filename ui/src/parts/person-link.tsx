import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { personQuery } from '../api/queries.js';
import { useMay } from '../shell/caller.js';
import { text } from '../text/text.js';

/** Somebody by their name, which leads to their page. */
export function PersonLink({ id }: { id: string }): ReactNode {
  const mayRead = useMay()('people:read');
  const { data } = useQuery({ ...personQuery(id), enabled: mayRead });
  if (!mayRead) return text.people.somebody;
  return (
    <Link to="/people/$personId" params={{ personId: id }}>
      {data?.displayName ?? text.people.somebody}
    </Link>
  );
}
