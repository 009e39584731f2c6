import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { lossReportQuery } from '../../api/queries.js';
import type { LossReport } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Fact } from '../../parts/fact.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { ChosenDevice } from './chosen-device.js';
import { FindDevice } from './find-device.js';

interface Props {
  reportId: string;
  /** The laptop that it is about, once somebody has found it. */
  deviceId: string | undefined;
}

/** What somebody typed at `/lost` who had no code: looked into, then confirmed or dismissed. */
export function ReportedLoss({ reportId, deviceId }: Props): ReactNode {
  const mayConfirm = useMay()('lost-devices:report', 'everywhere');
  const query = useQuery({ ...lossReportQuery(reportId), enabled: mayConfirm });
  if (!mayConfirm) return <Empty>{text.lossReports.mayNot}</Empty>;
  return (
    <Loaded query={query} lines={6}>
      {(report) => (
        <div className="stack">
          <p>
            <Link to="/lost-laptop">← {text.lossReports.back}</Link>
          </p>
          <Told report={report} />
          {report.state !== 'waiting' ? (
            <Decided report={report} />
          ) : deviceId === undefined ? (
            <WhichLaptop report={report} />
          ) : (
            <ChosenDevice key={deviceId} deviceId={deviceId} report={report} />
          )}
        </div>
      )}
    </Loaded>
  );
}

function Told({ report }: { report: LossReport }): ReactNode {
  const { id, email, assetTag, phone, words, fromAddress, times, reportedAt, state, erasedAt } = report;
  const [isDismissed, setDismissed] = useState(false);
  const close = (): void => setDismissed(false);
  return (
    <div className="card">
      <p className="card-title">
        {erasedAt === null ? text.lossReports.says(email, assetTag) : text.lossReports.erased(assetTag)}
      </p>
      <p className="dim small">
        {text.lossReports.times(times)} · {times > 1 && text.lossReports.first} <Instant at={reportedAt} />
        {fromAddress !== null && ` · ${text.lossReports.from(fromAddress)}`}
      </p>
      {words !== null && <p className="quoted">{words}</p>}
      <dl className="facts">
        <Fact name={text.lossReports.assetTag}>{assetTag ?? text.lossReports.notTold}</Fact>
        {/* Not to be called by a touch: it may be anybody's. */}
        {state === 'waiting' && <Fact name={text.lossReports.phone}>{phone ?? text.lossReports.notTold}</Fact>}
      </dl>
      {state === 'waiting' && (
        <>
          <p>
            <strong>▲ {text.lossReports.unchecked}</strong> {text.lossReports.callBack}
          </p>
          <p className="row">
            <Button variant="default" onClick={() => setDismissed(true)}>
              {text.lossReports.dismiss}
            </Button>
          </p>
        </>
      )}
      {isDismissed && (
        <ActDialog
          title={text.lossReports.dismissTitle}
          verb={text.lossReports.dismissVerb}
          ask={{ label: text.lossReports.dismissReason, required: true }}
          act={(reason) =>
            answerOf(api.POST('/v1/loss-reports/{id}/dismiss', { params: { path: { id } }, body: { reason } }))
          }
          onDone={close}
          onClose={close}
        >
          <p>{text.lossReports.dismissMeans}</p>
        </ActDialog>
      )}
    </div>
  );
}

/** Looked for by what was typed; whoever calls back may learn something else. */
function WhichLaptop({ report: { id, email, assetTag } }: { report: LossReport }): ReactNode {
  const [wanted, setWanted] = useState(assetTag ?? email);
  const others = [assetTag, email].filter((typed) => typed !== null).filter((typed) => typed !== wanted);
  return (
    <Section title={text.lossReports.which}>
      <div className="stack">
        {others.length > 0 && (
          <p className="row">
            {others.map((typed) => (
              <Button key={typed} variant="default" onClick={() => setWanted(typed)}>
                {text.lossReports.lookFor(typed)}
              </Button>
            ))}
          </p>
        )}
        <FindDevice wanted={wanted} onWanted={setWanted} report={id} />
      </div>
    </Section>
  );
}

function Decided({ report }: { report: LossReport }): ReactNode {
  const { state, decidedBy, decidedAt, confirmedHow, reason, caseId } = report;
  const by = decidedBy ?? text.people.somebody;
  return (
    <div className="notice">
      <p className="notice-title">
        {state === 'confirmed' ? text.lossReports.confirmedBy(by) : `⊘ ${text.lossReports.dismissedBy(by)}`}{' '}
        {decidedAt !== null && <Instant at={decidedAt} />}
      </p>
      {state === 'dismissed' && <p>{text.lossReports.nothingWasCut}</p>}
      {confirmedHow !== null && <p>{text.lossReports.confirmedHow[confirmedHow]}</p>}
      {reason !== null && <p className="quoted">{reason}</p>}
      {caseId !== null && (
        <p>
          <Link to="/lost-laptop" search={{ case: caseId }}>
            {text.lostLaptop.watchIt}
          </Link>
        </p>
      )}
    </div>
  );
}
