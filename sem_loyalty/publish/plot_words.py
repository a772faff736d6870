"""The words of the plots of measurement, residuals and draws, in English and Chinese."""

from __future__ import annotations

PLOT_WORDS: dict[str, tuple[str, str]] = {
    "loadings_x": ("Standardised loading", "标准化载荷"),
    "pattern_said": ("Pattern loadings", "模式载荷"),
    "scree_x": ("Component", "成分序号"),
    "scree_y": ("Eigenvalue", "特征值"),
    "scree_kept": ("above random data", "高于随机数据"),
    "scree_dropped": ("not above", "不高于"),
    "scree_random": ("random data, {quantile}th percentile", "随机数据第 {quantile} 百分位数"),
    "scree_said": ("Parallel analysis keeps {n}", "平行分析保留 {n} 个"),
    "correlation": ("Correlation", "相关系数"),
    "residual_cor": ("Residual correlation", "残差相关"),
    "residual_z": ("Residual, z", "残差 z 值"),
    # Notes
    "matrix_negative": ("A dash marks a negative value.", "短横表示负值。"),
    "loadings_plot_note": (
        "Dots: standardised loadings; bars: 95% intervals; dashed line: 0.71, half of the variance shared.",
        "圆点为标准化载荷，线段为 95% 置信区间；虚线为 0.71（共享一半方差）。",
    ),
    "pattern_plot_note": (
        "Extraction: {extraction}; rotation: {rotation}. Bold: at least {cutoff}.",
        "提取方法：{extraction}；旋转方法：{rotation}。粗体为绝对值不小于 {cutoff} 的载荷。",
    ),
    "rotation_none": ("none", "无"),
    "scree_note": (
        "Parallel analysis of {variant}: {draws} random data sets of the same size.",
        "{variant}平行分析：{draws} 组同等规模的随机数据。",
    ),
    "variant_components": ("components", "主成分"),
    "variant_factors": ("common factors", "公因子"),
    "residual_cor_note": (
        "Sample less model-implied correlations; framed: at least 0.10 in absolute value.",
        "样本相关减模型隐含相关；加框者绝对值不小于 0.10。",
    ),
    "residual_z_note": (
        "Residuals over their standard errors; framed: beyond 1.96.",
        "残差除以其标准误；加框者绝对值超过 1.96。",
    ),
    "correlation_ordinal_note": ("Polychoric correlations.", "多分格相关。"),
    "draws_note": (
        "{draws} bootstrap draws{failed}. Solid line: {what} estimate; dashed lines: {level}% interval ({interval}).",
        "{draws} 次自助抽样{failed}。实线为{what}估计值，虚线为 {level}% 置信区间（{interval}）。",
    ),
    "draws_failed": (" ({n} without convergence left out)", "（剔除未收敛的 {n} 次）"),
    "draws_std_all": ("standardised", "标准化"),
    "draws_std_lv": ("latent-standardised", "潜变量标准化"),
    "draws_raw": ("unstandardised", "非标准化"),
    # Captions of the report
    "plot_correlations": ("Correlations of the items.", "题项相关矩阵热图。"),
    "plot_scree": ("Scree plot with parallel analysis.", "碎石图与平行分析。"),
    "plot_loadings": ("Standardised loadings with 95% intervals.", "标准化载荷及其 95% 置信区间。"),
    "plot_residuals": ("Residual correlations.", "残差相关图。"),
    "plot_bootstrap": ("Bootstrap distributions of the paths.", "路径系数的自助抽样分布。"),
}
