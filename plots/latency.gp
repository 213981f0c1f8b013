# SPDX-License-Identifier: GPL-2.0-only
# One latency: percentiles over 1/(1-p) at the left, share of slower interrupts at the right.
# Curves that lie on one another stay visible: the wide ones are drawn first.
array colours[8] = [0xD55E00, 0xE69F00, 0x009E73, 0x56B4E9, 0x0072B2, 0xCC79A7, 0x8C8C8C, 0x6B6B6B]
array shapes[8] = [7, 5, 9, 11, 13, 15, 6, 4]
name(i) = value(sprintf("name_curve_%d", i))
measured(i) = value(sprintf("measured_curve_%d", i))
recorded(i) = value(sprintf("recorded_curve_%d", i))
silent(i) = value(sprintf("name_silent_%d", i))
colour(i) = measured(i) ? INK : colours[(i-1)%8+1]
width(i) = measured(i) ? 2 : 2 + 3 * (CURVES - i) / (CURVES > 1 ? CURVES - 1 : 1)
dash(i) = measured(i) ? 2 : 1
shape(i) = measured(i) ? 8 : shapes[(i-1)%8+1]
# Bars of the same percentile side by side.
aside(x,i) = x < 1 ? x : x * 1.035**(i-(CURVES+1)/2.0)
title_of(i) = name(i).(recorded(i) ? " (recorded)" : "")

set multiplot
set tmargin at screen py(H-104)
set bmargin at screen py(74)
set grid xtics ytics linecolor rgb GRID linewidth 1 dashtype solid
set logscale xy

set lmargin at screen px(82)
set rmargin at screen px(W*0.405)
set xrange [1:BEYOND]
set yrange [LOW:HIGH]
eval("set xtics ".p_tics)
eval("set ytics ".time_tics)
set xlabel "percentile, 1/(1−p) axis" textcolor rgb INK offset 0,0.2
set label 3 "percentiles (bars: 95 % intervals)" at graph 0,screen py(H-88) left font F16 \
	textcolor rgb INK
unset key
eval "plot ".\
	"for [i=1:CURVES] DATA index sprintf('percentiles_%d',i) using 1:2 with lines ".\
		"linewidth width(i) dashtype dash(i) linecolor rgb colour(i), ".\
	"for [i=1:CURVES] DATA index sprintf('marks_%d',i) using ".\
		"(aside($1,i)):2:3:4 with yerrorbars pointtype shape(i) pointsize 0.9 linewidth 1.2 ".\
		"linecolor rgb colour(i)"

unset label 1001
unset label 1002
set lmargin at screen px(W*0.405+96)
set rmargin at screen px(W-282)
set xrange [LOW:HIGH]
set yrange [RAREST:1.3]
eval("set xtics ".time_tics_below)
eval("set ytics ".share_tics)
set xlabel "latency" offset 0,0.2
set label 3 "share of interrupts that took longer" at graph 0,screen py(H-88) left
set key at screen px(W-6),py(H-104) right top vertical Left reverse samplen 1.4 spacing 1.3 font F14
eval "plot ".\
	"for [i=1:CURVES] DATA index sprintf('survival_%d',i) using 1:2 with lines ".\
		"linewidth width(i) dashtype dash(i) linecolor rgb colour(i) notitle, ".\
	"for [i=1:CURVES] DATA index sprintf('last_%d',i) using 1:2 with points ".\
		"pointtype shape(i) pointsize 1.1 linecolor rgb colour(i) notitle, ".\
	opt(SILENT, "for [i=1:SILENT] NaN with lines linecolor rgb PAPER title silent(i)").\
	"for [i=1:CURVES] NaN with linespoints linewidth width(i) dashtype dash(i) ".\
		"pointtype shape(i) linecolor rgb colour(i) title title_of(i)"
unset multiplot
