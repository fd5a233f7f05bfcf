import { metricsText } from "../../../services/api-gateway/pages/metrics-text.ts";

const lines = (text: string) => text.trimEnd().split("\n");

test("a metric of many nodes is one family: help and type once, its series together", () => {
  const metric = (value: number) => ({ type: "counter", name: "a.b-total", description: "d", values: [{ value }] });
  const text = metricsText([
    { node: "one", metrics: [metric(1), { type: "gauge", name: "g", values: [{ value: 5 }] }] },
    { node: "two", metrics: [metric(2)] },
  ]);
  expect(lines(text)).toEqual([
    "# HELP a_b_total d",
    "# TYPE a_b_total counter",
    'a_b_total{node="one"} 1',
    'a_b_total{node="two"} 2',
    "# HELP g g",
    "# TYPE g gauge",
    'g{node="one"} 5',
  ]);
});

test("a histogram has its buckets in order, +Inf last, and its sum and count", () => {
  const values = [
    { labels: { action: "x" }, count: 3, sum: 7.5, buckets: { "10": 3, "0.5": 1, "1": 2 }, quantiles: { "0.5": 1 } },
  ];
  const text = metricsText([{ node: "n", metrics: [{ type: "histogram", name: "t", unit: "ms", values }] }]);
  expect(lines(text)).toEqual([
    "# HELP t t (ms)",
    "# TYPE t histogram",
    't_bucket{node="n",action="x",le="0.5"} 1',
    't_bucket{node="n",action="x",le="1"} 2',
    't_bucket{node="n",action="x",le="10"} 3',
    't_bucket{node="n",action="x",le="+Inf"} 3',
    't_sum{node="n",action="x"} 7.5',
    't_count{node="n",action="x"} 3',
  ]);
});

test("a histogram without buckets has the one that everything is in, and its quantiles are left out", () => {
  const values = [{ count: 1, sum: 2, quantiles: { "0.5": 2, "0.9": null } }];
  const text = metricsText([{ node: "n", metrics: [{ type: "histogram", name: "t", values }] }]);
  expect(lines(text).slice(1)).toEqual([
    "# TYPE t histogram",
    't_bucket{node="n",le="+Inf"} 1',
    't_sum{node="n"} 2',
    't_count{node="n"} 1',
  ]);
});

test("the text of a metric becomes a label", () => {
  const text = metricsText([{ node: "n", metrics: [{ type: "info", name: "v", values: [{ value: "24.1" }] }] }]);
  expect(lines(text).slice(1)).toEqual(["# TYPE v gauge", 'v{node="n",value="24.1"} 1']);
});

test("labels are escaped, empty ones left out, and series that differ in nothing shown are added up", () => {
  const values = [
    { labels: { "a.b": 'q"\\\n', none: null }, value: 1 },
    { labels: { "a.b": 'q"\\\n', none: "" }, value: 2 },
  ];
  const text = metricsText([{ node: "n", metrics: [{ type: "counter", name: "9c", values }] }]);
  expect(lines(text)[2]).toBe('_9c{node="n",a_b="q\\"\\\\\\n"} 3');
});

test("numbers that are none are spelled as the format wants, and values that are no numbers are left out", () => {
  const values = [
    { labels: { k: "1" }, value: Number.NaN },
    { labels: { k: "2" }, value: Number.POSITIVE_INFINITY },
    { labels: { k: "3" }, value: null },
    { labels: { k: "4" }, value: "text" },
  ];
  const text = metricsText([{ node: "n", metrics: [{ type: "gauge", name: "g", values }] }]);
  expect(lines(text).slice(2)).toEqual(['g{node="n",k="1"} NaN', 'g{node="n",k="2"} +Inf']);
});

test("two metrics whose names differ only in punctuation do not break the format", () => {
  const text = metricsText([
    {
      node: "n",
      metrics: [
        { type: "gauge", name: "a.b", values: [{ value: 1 }] },
        { type: "counter", name: "a-b", values: [{ value: 2 }] },
      ],
    },
  ]);
  expect(lines(text).slice(1)).toEqual(["# TYPE a_b gauge", 'a_b{node="n"} 1']);
});
