"""
Forecast many series of one frame with one model
================================================

Twenty shops, from a kiosk to a supermarket: daily sales with a weekly
rhythm, and days of promotion that are known beforehand. The data come as a
long frame, a row for each shop and day, in pandas (polars would do as
well). One network learns from all shops, and its forecasts come back as a
long frame with intervals.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skrnn import RNNForecaster
from skrnn.adapters import NixtlaForecaster
from skrnn.metrics import mase
from skrnn.preprocessing import CalendarFeatures

horizon, n_days = 14, 196
rng = np.random.default_rng(0)
days = pd.date_range("2024-01-01", periods=n_days)
shops = []
for k, level in enumerate(np.geomspace(10, 1000, 20)):
    promo = rng.random(n_days) < 0.15
    rhythm = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(n_days) + k) / 7)
    sales = (
        level
        * rhythm
        * (1 + 0.6 * promo)
        * np.exp(0.1 * rng.normal(size=n_days))
    )
    shops.append(
        pd.DataFrame(
            {
                "unique_id": f"shop {k:02d}",
                "ds": days,
                "y": sales,
                "promo": promo.astype(float),
            }
        )
    )
df = pd.concat(shops, ignore_index=True)
df[["sin", "cos"]] = CalendarFeatures(["day_of_week"]).fit_transform(
    df[["ds"]]
)
df.head()

# %%
# The last two weeks are forecast. Their promotions are known, their sales
# are not.
train, test = df[df.ds < days[-horizon]], df[df.ds >= days[-horizon]]
network = RNNForecaster(
    horizon=horizon,
    n_lags=28,
    target_scaling="mean",
    max_epochs=20,
    random_state=0,
)
model = NixtlaForecaster(network).fit(train)
forecast = model.predict(horizon, X_df=test.drop(columns="y"), level=[90])
forecast.head()

# %%
# A MASE of 1 is what the days of the week before would give, on average
# over the past.
both = test.merge(forecast, on=["unique_id", "ds"])
scores = []
for shop, rows in both.groupby("unique_id"):
    past = train.loc[train.unique_id == shop, "y"].to_numpy()
    scores.append(
        mase(
            rows.y.to_numpy(),
            rows.RNNForecaster.to_numpy(),
            y_train=past,
            seasonality=7,
        )
    )
inside = both.y.between(
    both["RNNForecaster-lo-90"], both["RNNForecaster-hi-90"]
).mean()
print(
    f"MASE {np.mean(scores):.2f}, in the 90 % intervals are {inside:.0%}"
)

# %%
figure, axes = plt.subplots(
    2, 2, figsize=(10, 5), sharex=True, layout="constrained"
)
for axis, shop in zip(
    axes.flat, df.unique_id.unique()[[0, 6, 12, 19]], strict=True
):
    seen, rows = (
        df[df.unique_id == shop].iloc[-42:],
        forecast[forecast.unique_id == shop],
    )
    axis.plot(seen.ds, seen.y, color="0.6", label="sales")
    axis.plot(
        seen.ds[seen.promo > 0],
        seen.y[seen.promo > 0],
        "o",
        color="0.6",
        ms=4,
        label="promotion",
    )
    axis.fill_between(
        rows.ds,
        rows["RNNForecaster-lo-90"],
        rows["RNNForecaster-hi-90"],
        alpha=0.3,
        lw=0,
        label="90 % interval",
    )
    axis.plot(rows.ds, rows.RNNForecaster, color="C0", label="forecast")
    axis.set(title=shop, ylim=(0, None))
figure.legend(
    *axes[0, 0].get_legend_handles_labels(),
    loc="outside upper center",
    ncols=4,
)
figure.autofmt_xdate()
figure.savefig("panel_forecast.png", dpi=120)
