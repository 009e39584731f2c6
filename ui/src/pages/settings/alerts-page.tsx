import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { channelsQuery } from '../../api/settings-queries.js';
import type { AlertChannel } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { AddChannel } from './add-channel.js';
import { placeOf } from './channel-fields.js';
import { Escalation } from './escalation.js';
import { SettingsFrame } from './settings-frame.js';

const words = text.settings.alerts;

/** By what people are reached when something is wrong, and who is told first. */
export function AlertsPage(): ReactNode {
  const mayChange = useMayEverywhere()('alerts:write');
  const [isAdding, setAdding] = useState(false);
  const query = useQuery(channelsQuery);
  return (
    <SettingsFrame words={words}>
      <Section
        title={words.channels}
        count={query.data?.items.length}
        acts={
          mayChange && (
            <Button size="xs" onClick={() => setAdding(true)}>
              {words.add}
            </Button>
          )
        }
      >
        <Loaded query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty>{words.none}</Empty>
            ) : (
              <Table
                rows={items}
                columns={[
                  { name: words.name, cell: ({ name }) => name },
                  { name: words.kindLabel, cell: ({ kind }) => words.kind[kind] },
                  { name: words.place, cell: (channel) => <span className="long">{placeOf(channel)}</span> },
                  { name: words.added, cell: ({ createdAt }) => <Instant at={createdAt} /> },
                  ...(mayChange
                    ? [
                        {
                          name: text.settings.acts,
                          cell: (channel: AlertChannel) => <ChannelActs channel={channel} />,
                        },
                      ]
                    : []),
                ]}
              />
            )
          }
        </Loaded>
      </Section>
      {query.data && <Escalation channels={query.data.items} />}
      {isAdding && <AddChannel onClose={() => setAdding(false)} />}
    </SettingsFrame>
  );
}

function ChannelActs({ channel: { id, name } }: { channel: AlertChannel }): ReactNode {
  const [isRemoving, setRemoving] = useState(false);
  const close = (): void => setRemoving(false);
  const params = { path: { id } };
  const test = useMutation({ mutationFn: () => answerOf(api.POST('/v1/alert-channels/{id}/test', { params })) });
  return (
    <div className="stack-small">
      <div className="row">
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => test.mutate()}
          loading={test.isPending}
          aria-label={text.devices.actOn(words.test, name)}
        >
          {words.test}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => setRemoving(true)}
          aria-label={text.devices.actOn(words.remove, name)}
        >
          {words.remove}
        </Button>
      </div>
      <div role="status">{test.data && <Tested {...test.data} />}</div>
      {test.error && <ProblemNotice error={test.error} ofAct />}
      {isRemoving && (
        <ActDialog
          title={words.removeTitle(name)}
          verb={words.removeVerb}
          danger
          act={() => answerOf(api.DELETE('/v1/alert-channels/{id}', { params }))}
          onDone={close}
          onClose={close}
        >
          <p>{words.removeMeans}</p>
        </ActDialog>
      )}
    </div>
  );
}

/** That the provider took it isn't that anybody read it. */
function Tested({ outcome, why }: { outcome: 'sent' | 'refused' | 'failed'; why: string | null }): ReactNode {
  const looks = outcome === 'sent' ? ({ shape: '◕', tone: 'busy' } as const) : ({ shape: '▲', tone: 'bad' } as const);
  return (
    <>
      <Mark {...looks} word={words.tested[outcome]} /> {why}
    </>
  );
}
