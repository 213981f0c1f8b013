# SPDX-License-Identifier: GPL-2.0-only
# Totals of several results for a thousand interrupts each, against the LR count.
array colours[8] = [0x0072B2, 0xD55E00, 0x009E73, 0xE69F00, 0x56B4E9, 0xCC79A7, 0x8C8C8C, 0x1F1F1F]
array shapes[8] = [7, 5, 9, 11, 13, 15, 6, 4]
# Curves that lie on one another stay visible: the wide ones are drawn first.
size(i) = 1.8 + 1.2 * (RESULTS - i) / (RESULTS > 1 ? RESULTS - 1 : 1)
name(i) = value(sprintf("name_result_%d", i))

set multiplot
set xrange [FIRST-0.5:LAST+0.5]
set xtics 1
set logscale y
set xlabel "list registers (LRs)" textcolor rgb INK offset 0,0.2
set tmargin at screen py(H-110-26*(RESULTS+ENDLESS))
set bmargin at screen py(72)
# None is drawn on the lowest line; live-locks stand above the axes, one line for each result.
or_floor(v, low) = v > 0 ? v : low
above(low, high, line) = exp(log(high) - (log(high) - log(low)) * 0.035 * line)

set lmargin at screen px(84)
set rmargin at screen px(W/2-20)
set yrange [exit_low*0.99:exit_high]
eval "set ytics ".exit_tics
set label 3 "exits for 1,000 interrupts" at graph 0,screen py(H-92-26*(RESULTS+ENDLESS)) left \
	font F16 textcolor rgb INK
set key at screen px(14),py(H-64) left top vertical Left reverse samplen 2 spacing 1.2
eval "plot ".\
	opt(ENDLESS, "DATA index 'endless' using 1:(above(exit_low,exit_high,$2)):(colours[$2]) ".\
		"with points pointtype 2 pointsize 1.2 linewidth 3 linecolor rgb variable notitle").\
	"for [i=1:RESULTS] DATA index sprintf('exits_%d',i) using 1:(or_floor($2,exit_low)) with ".\
		"linespoints linewidth size(i) pointtype shapes[i] pointsize size(i)/2.2 ".\
		"linecolor rgb colours[i] title name(i), ".\
	"NaN with points pointtype 2 pointsize 1.2 linewidth 3 linecolor rgb INK title ".\
		"(ENDLESS ? 'live-lock: no number' : '')"

unset label 1001
unset label 1002
unset key
set lmargin at screen px(W/2+72)
set rmargin at screen px(W-16)
set yrange [mi_low*0.99:mi_high]
eval "set ytics ".mi_tics
set label 3 "maintenance interrupts for 1,000 interrupts" \
	at graph 0,screen py(H-92-26*(RESULTS+ENDLESS)) left
eval "plot ".\
	opt(ENDLESS, "DATA index 'endless' using 1:(above(mi_low,mi_high,$2)):(colours[$2]) ".\
		"with points pointtype 2 pointsize 1.2 linewidth 3 linecolor rgb variable").\
	"for [i=1:RESULTS] DATA index sprintf('mi_%d',i) using 1:(or_floor($2,mi_low)) with ".\
		"linespoints linewidth size(i) pointtype shapes[i] pointsize size(i)/2.2 ".\
		"linecolor rgb colours[i]"
unset multiplot
