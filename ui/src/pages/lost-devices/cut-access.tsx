import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { casesQuery, lossPreviewQuery, personQuery } from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import type { DeviceDetails, PersonDetails } from '../../api/types.js';
import { Empty, Loading } from '../../parts/loaded.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { LossExtent, type LossScope } from './loss-extent.js';

export interface LostThing {
  device: DeviceDetails;
  /** Who has it. */
  personId: string;
}

type Cut = (scope: LossScope) => Promise<{ caseId: string }>;

interface Props extends LostThing {
  /** Null: something that it needs wasn't said yet, and the browser asks for it. */
  cut: Cut | null;
  /** What is asked for on the way. */
  children: (holder: PersonDetails | undefined) => ReactNode;
  words: { cut: (name: string) => string; cutDevice: string };
  /** What is said where all of it was reported before; without it there is no button then. */
  sameLoss?: string;
}

/** What a report of it cuts, before it does, and the one button; then the loss is watched. */
export function CutAccess({ device, personId, cut, children, words, sameLoss }: Props): ReactNode {
  const navigate = useNavigate();
  const may = useMay();
  const [chosen, setChosen] = useState<LossScope | null>(null);
  const { data: person } = useQuery({ ...personQuery(personId), enabled: may('people:read') });
  const preview = useQuery({ ...lossPreviewQuery(device.id), enabled: may('lost-devices:report') });
  const loss = useQuery({
    ...casesQuery({ kind: 'lost_device', personId, limit: 10 }),
    enabled: device.state === 'lost' && may('cases:read'),
  });
  const reported =
    device.state === 'lost' ? loss.data?.items.find(({ deviceId }) => deviceId === device.id) : undefined;
  // What was reported of the laptop alone can be reported of the person after all.
  const isOnlyMore = reported?.scope === 'device';
  const isCut = reported !== undefined && !isOnlyMore;
  // A preview that doesn't come stops nobody: then everything is cut.
  const scope = reported !== undefined ? 'person' : (chosen ?? preview.data?.proposedScope ?? 'person');
  const doing = useMutation({
    mutationFn: (act: Cut) => act(scope),
    onSuccess: ({ caseId }) => {
      void queryClient.invalidateQueries({ queryKey: ['device'] });
      void navigate({ to: '/lost-laptop', search: { case: caseId } });
    },
  });
  if (!may('lost-devices:report')) return <Empty>{text.lostLaptop.mayNot}</Empty>;
  const name = person?.displayName ?? text.people.somebody;
  return (
    <>
      {reported && (
        <div className="notice">
          <p className="notice-title">{text.lostLaptop.reportedBefore}</p>
          <p>
            <Instant at={reported.openedAt} />.{' '}
            <Link to="/lost-laptop" search={{ case: reported.id }}>
              {text.lostLaptop.watchIt}
            </Link>
          </p>
          {isOnlyMore && <p>{text.lostLaptop.cutAfterAll}</p>}
          {isCut && sameLoss !== undefined && <p>{sameLoss}</p>}
        </div>
      )}
      {(!isCut || sameLoss !== undefined) && (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (cut && !doing.isPending) doing.mutate(cut);
          }}
        >
          {preview.error && <ProblemNotice error={preview.error} onRetry={preview.refetch} />}
          {preview.isLoading && <Loading lines={4} />}
          {preview.data && (
            <LossExtent preview={preview.data} name={name} scope={scope} onChoose={reported ? undefined : setChosen} />
          )}
          {children(person)}
          {doing.error && <ProblemNotice error={doing.error} ofAct />}
          <div className="thumb">
            <Button type="submit" size="lg" color="red" fullWidth className="cut" loading={doing.isPending}>
              {scope === 'person' ? words.cut(name) : words.cutDevice}
            </Button>
          </div>
        </form>
      )}
    </>
  );
}
