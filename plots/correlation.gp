# SPDX-License-Identifier: GPL-2.0-only
# Predicted against real numbers on decade axes: counts left, latencies right.
name(kind,i) = value(sprintf("name_%s_%d", kind, i))
colour(kind,i) = value(sprintf("colour_%s_%d", kind, i))

set multiplot
set logscale xy
set grid xtics ytics linecolor rgb GRID linewidth 1 dashtype solid
set format x "10^{%L}"
set format y "10^{%L}"
set termoption enhanced
set tmargin at screen py(H-120)
set bmargin at screen py(76)
set samples 2

set lmargin at screen px(92)
set rmargin at screen px(W/2-20)
set xrange [count_low:count_high]
set yrange [count_low:count_high]
set xlabel "real, whole run" textcolor rgb INK offset 0,0.2
set ylabel "predicted, whole run" textcolor rgb INK offset 0.5,0
set key at screen px(92),py(H-90) left center horizontal Left reverse samplen 1 width -0.5 font F15
eval "plot '+' using 1:($1*0.85):($1*1.15) with filledcurves fillcolor rgb BAND notitle, ".\
	"x with lines linewidth 1.5 linecolor rgb SOFT notitle, ".\
	opt(count_series, "for [i=1:count_series] DATA index sprintf('count_%d',i) using 1:2:3:4 with ".\
		"xerrorbars pointtype 6 pointsize 0.8 linewidth 1.5 linecolor rgb colour('count',i) ".\
		"title name('count',i)").\
	"NaN notitle"

unset label 1001
unset label 1002
set lmargin at screen px(W/2+80)
set rmargin at screen px(W-24)
set xrange [time_low:time_high]
set yrange [time_low:time_high]
set xlabel "real raise to LR, ns" textcolor rgb INK offset 0,0.2
set ylabel "predicted, ns" textcolor rgb INK offset 0.5,0
set key at screen px(W/2+80),py(H-90) left center horizontal Left reverse samplen 1 width -0.5 font F15
eval "plot '+' using 1:($1*0.85):($1*1.15) with filledcurves fillcolor rgb BAND notitle, ".\
	"x with lines linewidth 1.5 linecolor rgb SOFT notitle, ".\
	opt(time_series, "for [i=1:time_series] DATA index sprintf('time_%d',i) using 1:2:3:4 with ".\
		"xerrorbars pointtype 6 pointsize 0.8 linewidth 1.5 linecolor rgb colour('time',i) ".\
		"title name('time',i)").\
	"NaN notitle"
unset multiplot
