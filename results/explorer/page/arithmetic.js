// The arithmetic that must follow the selection at once. Each is that of the Python function it names, and held to it.
{
  const MANY = 200; // values of which a colour scale is spent on the best
  // Ranks from 1, ties at their mean.
  const ranks = values => {
    const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
    const found = new Float64Array(values.length);
    for (let k = 0; k < order.length;) {
      let end = k;
      while (end + 1 < order.length && values[order[end + 1]] === values[order[k]]) end++;
      for (let j = k; j <= end; j++) found[order[j]] = (k + end) / 2 + 1;
      k = end + 1;
    }
    return found;
  };
  const mean = values => values.reduce((a, b) => a + b, 0) / values.length;
  const moments = values => {
    const middle = mean(values);
    return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  };

  // results.facts.statistics.spearman: NaN below four pairs or where nothing varies.
  explorer.spearman = (first, second) => {
    if (first.length < 4) return NaN;
    const a = ranks(first),
      b = ranks(second),
      x = mean(a),
      y = mean(b);
    const spread = Math.sqrt(moments(a) * moments(b));
    if (!spread) return NaN;
    let sum = 0;
    for (let k = 0; k < a.length; k++) sum += (a[k] - x) * (b[k] - y);
    return sum / spread;
  };

  // Share of the ranks' variance between the values of a category (eta squared), as results.facts.search.influence.
  explorer.eta_squared = (words, values) => {
    const rank = ranks(values),
      groups = new Map();
    words.forEach((word, k) => groups.set(word, [...(groups.get(word) || []), rank[k]]));
    const whole = moments(rank),
      middle = mean(rank);
    if (!whole) return NaN;
    let between = 0;
    for (const group of groups.values()) between += group.length * (mean(group) - middle) ** 2;
    return between / whole;
  };

  // results.facts.statistics.expected_best: for n = 1…N the expected best of n drawn from these, and its 10 and 90 % points.
  // `at` names the n that are wanted: all of them cost N² exponentials.
  explorer.expected_best = (values, at = null) => {
    const ordered = Float64Array.from(values).sort(),
      total = ordered.length,
      log = new Float64Array(total + 1);
    for (let k = 2; k <= total; k++) log[k] = log[k - 1] + Math.log(k);
    const choose = (n, k) => log[n] - log[k] - log[n - k];
    const rows = [];
    for (const n of at || Array.from(ordered, (_, k) => k + 1)) {
      let expected = 0,
        below = 0,
        low = NaN,
        high = NaN;
      for (let i = n; i <= total; i++) {
        const share = Math.exp(choose(i - 1, n - 1) - choose(total, n));
        expected += share * ordered[i - 1];
        below += share;
        if (Number.isNaN(low) && below >= 0.1 - 1e-12) low = ordered[i - 1];
        if (Number.isNaN(high) && below >= 0.9 - 1e-12) high = ordered[i - 1];
      }
      rows.push([expected, low, high]);
    }
    return rows;
  };

  // 95 % interval of a share (results.facts.statistics.wilson).
  explorer.wilson = (hits, images) => {
    if (!images) return [NaN, NaN];
    const z = 1.959963984540054,
      share = hits / images,
      square = (z * z) / images;
    const middle = (share + square / 2) / (1 + square);
    const half = (z * Math.sqrt((share * (1 - share)) / images + square / images / 4)) / (1 + square);
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
  };

  // Whether the best fifth can't be told from the rest (results.facts.statistics.on_plateau).
  explorer.on_plateau = (values, share = 0.2) => {
    if (!values.length) return false;
    const ordered = Float64Array.from(values).sort(),
      last = ordered.at(-Math.max(1, Math.ceil(share * values.length)));
    return ordered.filter(value => value >= last).length >= Math.max(2, values.length / 2);
  };

  // The mean of `width` values around each, of fewer at the ends; absent ones count in none and stay absent.
  explorer.smoothed = (values, width) => {
    const half = (width - 1) / 2;
    return Array.from(values, (own, k) => {
      if (!Number.isFinite(own)) return NaN;
      return mean(Array.from(values.slice(Math.max(0, k - half), k + half + 1)).filter(Number.isFinite));
    });
  };
  // The best up to each; `lower` is better for losses.
  explorer.best_so_far = (values, lower = false) => {
    let best = NaN;
    return Array.from(values, own => {
      if (Number.isFinite(own) && !(lower ? best <= own : best >= own)) best = own;
      return best;
    });
  };
  // What a colour scale covers: of many values the best 5 %, which would else share one end of it.
  explorer.colour_range = values => {
    const there = Array.from(values)
        .filter(Number.isFinite)
        .sort((a, b) => a - b),
      cut = there.length > MANY;
    return {low: there[cut ? Math.ceil(0.95 * there.length) : 0], high: there.at(-1), cut};
  };
  // Curves {epoch, x, y} of several seeds as one: at each epoch the mean of those that are there, the lowest, the highest,
  // how many. Seeds meet at an epoch, never at a second: x goes on by the mean of their steps, and so never back where
  // one of them ends.
  explorer.over_seeds = curves => {
    const at = new Map();
    for (const {epoch, x, y} of curves)
      epoch.forEach((number, k) => {
        if (!at.has(number)) at.set(number, {steps: [], ys: []});
        at.get(number).steps.push(x[k] - (k ? x[k - 1] : 0));
        if (Number.isFinite(y[k])) at.get(number).ys.push(y[k]);
      });
    let x = 0;
    return [...at]
      .sort((a, b) => a[0] - b[0])
      .map(([epoch, {steps, ys}]) => ({
        epoch,
        x: (x += mean(steps)),
        mean: mean(ys),
        low: Math.min(...ys),
        high: Math.max(...ys),
        seeds: ys.length,
      }))
      .filter(({seeds}) => seeds);
  };
}
