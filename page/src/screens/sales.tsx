import type { Sales } from "../answers";
import { Since, Waiting } from "../figure";
import { count, money, percent, plural } from "../format";
import { useScene } from "../scene";
import { pathOf, useAnswer } from "../service";
import { returned } from "./sales_parts";
import {
  ConcentrationFigure,
  CountriesFigure,
  ProductsFigure,
  SegmentsFigure,
} from "./sales_shares";
import { DaysFigure, HoursFigure, MonthsFigure } from "./sales_time";

export function SalesScreen() {
  const { span, segmentation, currency } = useScene();
  const answer = useAnswer<Sales>(pathOf("/sales", { segmentation, from: span.from, to: span.to }));
  if (!answer.data) return <Waiting answer={answer} />;
  const data = answer.data;
  const net = data.months.reduce((sum, one) => sum + one.net, 0);
  const invoices = data.months.reduce((sum, one) => sum + one.invoices, 0);
  // Of the whole months, as products are.
  const wholeNet = data.hours.reduce((sum, one) => sum + one.net, 0);
  const credits = data.months.reduce((sum, one) => sum + returned(one), 0);
  return (
    <>
      <Since answer={data} />
      <dl class="numbers">
        <div>
          <dt>Net sales</dt>
          <dd>{money(net, currency)}</dd>
        </div>
        <div>
          <dt>Returned</dt>
          <dd>{money(credits, currency)}</dd>
        </div>
        <div>
          <dt>Invoices of customers</dt>
          <dd>{count(invoices)}</dd>
        </div>
        <div>
          <dt>Without a customer</dt>
          <dd>
            {money(data.unnamed?.net, currency)}
            <small>
              {net
                ? ` ${percent((data.unnamed?.net ?? 0) / net)} of net sales, ${plural(data.unnamed?.records ?? 0, "record")}`
                : ""}
            </small>
          </dd>
        </div>
        <div>
          <dt>Without a product, whole months</dt>
          <dd>{money(data.unallocated.net, currency)}</dd>
        </div>
      </dl>
      <p class="note">
        Adjustments, rows whose invoice number is an A and digits (bad debt in Online Retail), are no
        sales and in no sum.
      </p>
      <MonthsFigure answer={answer} data={data} />
      <DaysFigure answer={answer} data={data} />
      <HoursFigure answer={answer} data={data} />
      <CountriesFigure answer={answer} data={data} net={net} />
      <SegmentsFigure answer={answer} data={data} />
      <ConcentrationFigure answer={answer} data={data} />
      <ProductsFigure answer={answer} data={data} net={wholeNet} />
    </>
  );
}
