import type { ReactNode } from 'react';
import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { sitesQuery } from '../api/device-queries.js';
import { useMay } from '../shell/caller.js';
import { text } from '../text/text.js';
import { ProblemNotice } from './problem-notice.js';

interface Props {
  label: string;
  /** Its id. */
  value: string | null;
  /** What choosing none means. */
  none: string;
  onChange: (id: string | null) => void;
}

/** One of the sites that there are, or none. */
export function ChooseSite({ label, value, none, onChange }: Props): ReactNode {
  const mayRead = useMay()('people:read');
  const { data, error } = useQuery({ ...sitesQuery, enabled: mayRead });
  if (!mayRead) return <p className="dim">{text.sites.mayNot}</p>;
  if (error) return <ProblemNotice error={error} />;
  return (
    <NativeSelect
      label={label}
      description={data?.items.length === 0 ? text.sites.none : undefined}
      value={value ?? ''}
      onChange={({ currentTarget }) => onChange(currentTarget.value === '' ? null : currentTarget.value)}
      data={[{ value: '', label: none }, ...(data?.items ?? []).map((site) => ({ value: site.id, label: site.name }))]}
    />
  );
}

/** A site by its name, as far as that may be read. */
export function SiteName({ id }: { id: string }): ReactNode {
  const mayRead = useMay()('people:read');
  const { data } = useQuery({ ...sitesQuery, enabled: mayRead });
  return data?.items.find((site) => site.id === id)?.name ?? text.sites.some;
}
