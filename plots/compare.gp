# SPDX-License-Identifier: GPL-2.0-only
# Totals of several results for a thousand interrupts each, against the LR count.
array colours[8] = [0x0072B2, 0xD55E00, 0x009E73, 0xE69F00, 0x56B4E9, 0xCC79A7, 0x8C8C8C, 0x1F1F1F]
array shapes[8] = [7, 5, 9, 11, 13, 15, 6, 4]
name(i) = value(sprintf("name_result_%d", i))

set multiplot
set xrange [FIRST-0.5:LAST+0.5]
set xtics 1
set format y "%.4s%c"
set xlabel "list registers (LRs)" textcolor rgb INK offset 0,0.2
set tmargin at screen py(H-98-24*RESULTS)
set bmargin at screen py(66)

set lmargin at screen px(84)
set rmargin at screen px(W/2-20)
set yrange [0:EXIT_TOP]
set label 3 "exits for 1,000 interrupts" at graph 0,screen py(H-84-24*RESULTS) left font ",16" \
	textcolor rgb INK
set key at screen px(70),py(H-64) left top vertical Left reverse samplen 2 spacing 1.2
eval "plot ".\
	"for [i=1:RESULTS] DATA index sprintf('exits_%d',i) using 1:2 with linespoints ".\
		"linewidth 2.2 pointtype shapes[i] pointsize 1.1 linecolor rgb colours[i] title ".\
		"name(i), ".\
	opt(ENDLESS, "DATA index 'endless' using 1:(EXIT_TOP*(1-0.04*$2)):2 with points pointtype 2 ".\
		"pointsize 1.4 linewidth 2.5 linecolor rgb INK title 'live-lock (no number)'")

unset label 1001
unset label 1002
unset key
set lmargin at screen px(W/2+72)
set rmargin at screen px(W-16)
set yrange [0:MI_TOP]
set label 3 "maintenance interrupts for 1,000 interrupts" at graph 0,screen py(H-84-24*RESULTS) left
eval "plot ".\
	"for [i=1:RESULTS] DATA index sprintf('mi_%d',i) using 1:2 with linespoints ".\
		"linewidth 2.2 pointtype shapes[i] pointsize 1.1 linecolor rgb colours[i], ".\
	opt(ENDLESS, "DATA index 'endless' using 1:(MI_TOP*(1-0.04*$2)):2 with points pointtype 2 ".\
		"pointsize 1.4 linewidth 2.5 linecolor rgb INK")
unset multiplot
